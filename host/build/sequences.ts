// Fused sequences: two to twelve neighbouring instructions behind one dispatch. The first one's record asks for the whole
// sequence; the others keep their own, so that a jump into the middle works, and so does a fault there.
//
// `SLLI SRLI:0 ADD_C:1` is a shift, a shift of its result, and an addition to that. Behind the colon stand the sources
// of rs1 and, after a comma, of rs2:
//
//   0    the result of instruction 0; not through the register file, whose store-to-load latency long chains wait for
//   a0   the register that instruction 0 read as rs1, still unchanged; b0: as rs2
//   z    x0, so that `ADD_C:z` is c.mv
//
// Without a source the operand may be any.
//
// Chosen by dynamic frequency over the compute benchmarks and glibc programs, see assembly/README.md.

/** Where an operand comes from, inside a sequence. */
export type Source = { readonly kind: "zero" } | { readonly kind: "result" | "rs1" | "rs2"; readonly element: number };

export interface Element {
  readonly name: string; // of its own operation
  readonly rs1: Source | undefined;
  readonly rs2: Source | undefined;
}

export interface Sequence {
  readonly name: string;
  readonly elements: readonly Element[];
}

const CHOSEN: readonly string[] = [
  "ADD MUL:0,0 ADDIW_C BLTU_BACK:,1",
  "ADD SW_C:0 ADDI_C:b0 BNE_BACK:2",
  "ADDI AND_C:0,a0 ADDI_C BNE_C_BACK:1",
  "ADDI SLLI_C:0 ADD:1 LD:2 ADDI:z SUBW:4 ADDI_C:a0 ADD_C:z SRL:3,5 BLT_AHEAD:6,z",
  "ADDIW AND:0",
  "ADDIW SRLIW:0 SLLIW:0 SLLIW:1 SRAIW:2 SRAIW:3 SW:,4 SW:,5 ADDI_C:a6 ADDI:a7 BNE_BACK:8",
  "ADDIW_C ADDIW BEQ_AHEAD:0",
  "ADDIW_C ADDI_C ADD BNE_BACK:0,z",
  "ADDIW_C JAL_NEAR",
  "ADDIW_C J_BACK",
  "ADDIW_C SRLI_C BNE_C_BACK:0",
  "ADDI_C ADDI_C",
  "ADDI_C BEQ_AHEAD:0",
  "ADDI_C BNE_C_BACK",
  "ADDI_C JR",
  "ADDI_C SD_C:0 SD_C:0 ADDI_C:z ADD_C:z BGEU_AHEAD:3,b4",
  "ADDI_C:z ADDI ADD_C:z SD_C:,1 LW LW_C:a4 LD:a4 SW:a1,5 SD_C:a3,6 SLLI:4",
  "ADDI_C:z ADD_C",
  "ADDW_C ADDW_C:0 SLLIW SRLIW:a2 OR_C:3,2 SRLIW:a2 OR:5 XOR_C:6,4 SRLIW:a2 XOR_C:8,7 ADDW_C:9,1 SW_C:,10",
  "ADD_C ADD_C ADD_C:z",
  "ADD_C JR",
  "ADD_C LW:0 SW:,1 SW_C:0 BNE_C_BACK",
  "ADD_C LWU LWU:0 ADDI_C:a1 SLLI:1 SLLI:2 ADD_C:4 ADD_C:5,b6 SD_C:6 SD_C:6,7 ADDI_C:b8 BNE_BACK:10",
  "ADD_C:z ADDIW ADD_C:z,0 JAL_NEAR",
  "ADD_C:z ADD_C:z",
  "ADD_C:z ADD_C:z SLLIW:1 SLLIW:1 SRLIW:1 SRLIW:1 OR:5,3 SRLIW:1 OR_C:4,2 SLLIW:1 XORI:1 OR:9,7",
  "ADD_C:z BLT_BACK:z",
  "ADD_C:z LH:0 LD:b0 BGE_BACK:,1",
  "AND ADDW OR_C XOR:2 XOR:0 ADDW_C:1 ADDW:5 ADDW_C:3,4 ADDW:7,6 ADDI_C ADDW:6 ADD_C:z,8",
  "ANDI LUI ADDI:1 LD_C:0 SLLI:2 ADD_C:4,2 AND:5,3 ADD_C:6,5 OR_C:7,3 OR_C:8,5 ANDI:a0 XORI:9",
  "ANDI SLLI_C:0 ADD_C:1 LD_C:2 SLLI:a0 ADDIW_C SRLI_C:4 ADDIW:a0 JALR:3",
  "ANDI SLLI_C:0 ADD_C:1 SD:,2 J_BACK",
  "AUIPC ADDI:0 ADD_C:1 LBU:2 SLLIW ADDIW:4 ADDW_C:5 ADDW_C:6,3 ADDI:z ADD_C:z,7 BLT_AHEAD:8,7",
  "AUIPC LD:0",
  "LBU BNE_C_BACK:0",
  "LBU SRLIW ADDI_C:a0 XOR_C:a1,0 ANDI:3 SLLI_C:4 ADD_C:5 LW_C:6 XOR_C:7,1 ADDIW_C:8 BNE_BACK:,2",
  "LD ADDI SD_C LD_C:a0 ADDI:a1 SD:1,0 LD:a0 ADDI:a1 SD_C:4,3 LD_C:a0 ADDI:a1",
  "LD BEQ_AHEAD:0,z",
  "LD LD:a0 LD:a0 LD:a0 LD:a0 LD:a0",
  "LD SD_C:,z ADDI LUI_C ADD_C:z,2 LBU:2 ADDI_C:2 SLLI:5 ADD_C:7,0 LHU:8 AND_C:9,3 BNE_C_BACK:10",
  "LD_C ADDIW_C LD_C:a0 ADD_C:,0 BNE_C_BACK:1",
  "LD_C ADD_C LD_C:a0 ADDI_C:a0 JR:0",
  "LD_C LD XOR_C:1,0 ADDI_C:z",
  "LD_C LD_C:a0",
  "LD_C LD_C:a0 LD_C:a0 LD_C:a0 LD_C:a0 LD_C:a0",
  "LD_C LD_C:a0 LD_C:a0 LD_C:a0 SD_C:,0 SD_C:a4,1 SD_C:a4,3 SD_C:a4,2 ADDI:a0 ADDI:a4 BNE_BACK:,8",
  "LD_C LD_C:a0 SLLI_C SRLI_C:2 ADDI_C:a0 JR:0",
  "LD_C SD BNE_C_BACK:0",
  "LD_C SRLI:a0 ADDIW_C XOR_C:0,1 SD_C:,3 LD_C SH:,2 SD:a0,z LD_C:a5 ADD_C:z,a0",
  "LUI_C SLLIW SRLIW:a1 SRLIW:a1 ADDI:0 AND_C:4,3 OR_C:2,1 LUI SLLIW:a1 OR_C:6,5 AND_C:8,7 OR_C:10,9",
  "LW ADDI:a0 ADD_C:z,a0 SW_C:,0 J_AHEAD",
  "LW AND XOR AND XOR:2 XOR_C:3,1",
  "LW LW:a0 ADDI_C:a0 BGEU_BACK:1,0",
  "LW_C ADDIW_C ADDI_C SW_C:,0 BNE_BACK:1",
  "LW_C ADDI_C ADDI:a0 SW_C:1,0 BEQ_AHEAD:,a0",
  "LW_C ADDI_C ADDI_C:a0 SW:1,0 BNE_BACK:,1",
  "LW_C ADD_C:z ADDIW_C SW_C:1,0 ADDI_C BNE_BACK:2",
  "LW_C LUI_C ADDI:1 AND_C:2,0 LUI_C OR_C:4,3 LD_C SW_C:a0,5 SD:a0,z LD_C:a6",
  "LW_C LW ADDIW_C SW:a1,0 SW_C:a0,1 ADDIW_C J_BACK",
  "LW_C LW ADDI_C:a0 ADDI:a1 MULW:1,0 ADDW:4 BNE_BACK:,2",
  "LW_C LW_C BLTU_AHEAD:0,1",
  "LW_C LW_C:a0 LW:a0 SLLIW:0 SRLIW:0 LW_C:a0 SRLIW:0 SLLIW:0 OR:6,3 OR:7,4 SRLIW:1 SLLIW:1",
  "LW_C LW_C:a0 SLLIW:0 SRLIW:0 SLLIW:0 OR_C:3,2 SRLIW:0 OR:6,4 XOR_C:7,5 SRLIW:0 LW_C:a0 XOR_C:9,8",
  "LW_C SLLIW ADDI_C:a0",
  "ORI DIVU:,0 XOR_C:1,a1 JR",
  "ORI MUL:0 JR",
  "REMUW LW_C ADDI_C:a1 ADDIW_C:b0 ADDIW_C:a0",
  "SB ADDI_C:a0 BNE_BACK:1",
  "SB ADD_C ADD_C:a0,b1 BGEU_BACK:,1",
  "SD SD:a0 SD:a0",
  "SD_C AUIPC ADDI:1 LD:2 ADDI SRLI_C:4 BGEU_AHEAD:5,3",
  "SD_C SD_C:a0",
  "SD_C SD_C:a0 SD_C:a0 SD_C:a0 SD_C:a0",
  "SLLI ADD_C:0",
  "SLLI ADD_C:0,a0 SLLI_C:1 ADDIW_C ADDI:2 LBU ADDIW:5 ANDI:6 BGEU_AHEAD:,7",
  "SLLI SRLI:0",
  "SLLI SRLI_C:0 SD_C:,1 ADDI_C:a2 ADDIW_C:a0 BNE_BACK:3",
  "SLLIW SLLIW OR_C:0 OR_C:2,1 SLLI_C SLLI_C:3 SRLI_C:4 OR_C:6,5",
  "SLLIW SLLIW:a0 SRLIW:a0 SRLIW:a0 OR:3,1 SRLIW:a0 OR_C:2,0 SLLIW:a0 XORI:a0 OR:7,5",
  "SLLIW SRLIW:a0 OR:1,0",
  "SLLIW SRLIW:a0 XOR SRLIW OR OR:0,1 XOR:2,3 ADDW XOR:4,5 SRLIW:a0 ADDW_C:7,6 XOR_C:8,9",
  "SLLIW XOR_C:0,a0 SRLIW:1 XOR_C:2,1 SLLIW:3 ANDI XOR:3,4 SLLI_C:5 ADD_C:7 ADDIW_C:6 SH:8 SH:8,9",
  "SLLIW XOR_C:0,a0 SRLIW:1 XOR_C:2,1 SLLIW:3 XOR_C:4,3",
  "SLLI_C ADD_C:0 LD:1 SRLI SD:a3 XOR_C:2,3 SD_C:a3,5 SD:1,a3 ADDIW_C",
  "SLTU JR",
  "SRAIW SRLIW:0 ADDW:1,a0 ADDI_C:z ANDI:2 SUB:3 SUBW_C:4,1 ADDI SLLI:5 ADDI:z ADD:7,8 BEQ_AHEAD:6,9",
  "SRL ANDI:0 ADDIW:b0 BNE_AHEAD:1,z",
  "SRLI XOR_C:0 SLLI_C:a0 OR_C:2,1 JR",
  "SRLIW OR:0 XOR:1 SLLIW:a0 SRLIW:a0 OR:4,3 XOR:5,2",
  "SRLIW SLLIW:a0 SRLIW:a0 SLLIW:a0 ADDW_C XOR SLLIW:a0 SRLIW:a0 OR:0,1 OR:2,3 XOR:9,8 AND:a5,b5",
  "SW_C ADDIW_C:b0 ADDI_C:a0 BNE_BACK:1",
  "SW_C ADDI_C:a0 BNE_BACK:1",
  "XOR AND:0 AND:a0,b0 XOR:2,1 ADDW:3 ADDW:4 ADDW:b5 ADD_C:z,b0 ADD_C:z",
  "XOR ANDI_C:0 SRLI_C:a0 BEQ_C_AHEAD:1",
  "XOR SLLI_C:0 SRLI_C:1 ADDIW_C SRLI_C BNE_C_BACK:3",
  "XORI AND:a0 AND:0 XOR:2,1 ADDW:3 LW SLLIW ADDI_C ADDW:5,4 LWU:7 ADDI_C:a5 ADDW:8,9",
];

export const SEQUENCES: readonly Sequence[] = CHOSEN.map(parseSequence);
export const SEQUENCE_LENGTH_MAX = Math.max(...SEQUENCES.map(({ elements }) => elements.length));

function parseSequence(text: string): Sequence {
  return { name: text.replaceAll(" ", "__").replaceAll(/[:,]/g, "_"), elements: text.split(" ").map(parseElement) };
}

function parseElement(text: string): Element {
  const [name, sources = ""] = text.split(":") as [string, string?];
  const [rs1, rs2] = sources.split(",").map(parseSource);
  return { name, rs1, rs2 };
}

function parseSource(text: string): Source | undefined {
  if (text === "") return undefined;
  if (text === "z") return { kind: "zero" };
  if (text.startsWith("a")) return { kind: "rs1", element: Number(text.slice(1)) };
  if (text.startsWith("b")) return { kind: "rs2", element: Number(text.slice(1)) };
  return { kind: "result", element: Number(text) };
}
