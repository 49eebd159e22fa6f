// Every integer, load, store and branch instruction, in both lengths, against the model.

import { expect, test } from "vitest";
import { PAGE_BYTES } from "../../assembly/layout.ts";
import { type Choices, randomInstruction } from "../../host/isa/generate-random.ts";
import type { Group } from "../../host/isa/table.ts";
import { CODE, DATA, ECALL, Guest } from "./guest.ts";
import { step } from "./model.ts";
import { differences, expand, modelOf, PlainRandom, seed, setRandomRegisters } from "./random-code.ts";

const PROGRAMS = 400;
const INSTRUCTIONS = 60;
const BASE_REGISTERS = [8, 9]; // hold DATA; never written, so that loads and stores stay in their two pages

const choices: Choices = {
  field(name, random) {
    if (name === "rd") return 10 + Math.floor(random() * 6);
    return undefined;
  },
};

for (const group of ["integer", "load", "store"] as const satisfies readonly Group[]) {
  test(`random ${group} instructions leave the registers and the memory that the model has`, () => {
    const random = new PlainRandom(seed());
    const guest = new Guest();
    for (let round = 0; round < PROGRAMS; round++) {
      setRandomRegisters(guest, random);
      for (const register of BASE_REGISTERS) guest.setX(register, DATA + PAGE_BYTES);
      const instructions = [];
      while (instructions.length < INSTRUCTIONS) {
        const instruction = randomInstruction(new Set<Group>([group]), random.next, choices);
        if (usable(instruction)) instructions.push(instruction);
      }
      guest.write(CODE, ...instructions.map(({ word }) => word), ECALL);
      guest.bumpGeneration(CODE);
      const model = modelOf(guest, CODE);
      for (const instruction of instructions) step(model, expand(instruction));
      guest.runToEcall(CODE);
      expect(differences(guest, model), `SEED=${seed()} round ${round}`).toEqual([]);
    }
  });
}

/** Loads and stores keep to the data pages; nothing writes their base. */
function usable({ group, operands, name, word }: ReturnType<typeof randomInstruction>): boolean {
  if (name.startsWith("f") || name.startsWith("c.f")) return false;
  const { rd, rs1 } = expand({ word, bytes: (word & 3) === 3 ? 4 : 2, name, group, operands });
  if (BASE_REGISTERS.includes(rd) || rd === 2) return false;
  return group === "integer" || BASE_REGISTERS.includes(rs1);
}
