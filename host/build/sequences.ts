// Fused sequences: two to four neighbouring instructions behind one dispatch. The first one's record asks for the whole
// sequence; the others keep their own, so that a jump into the middle works, and so does a fault there.
//
// `SLLI SRLI:0 ADD_C:1` is a shift, a shift of its result, and an addition to that. `:0` says that rs1 is the result of
// instruction 0, `:,0` the same of rs2: such a value does not pass through the register file, whose store-to-load
// latency is what long chains of instructions wait for. Without a link the operands may be any.
//
// Chosen by dynamic frequency over the compute benchmarks and glibc programs, see assembly/README.md.

export interface Element {
  readonly name: string; // of its own operation
  readonly rs1From: number | undefined; // the element whose result it is
  readonly rs2From: number | undefined;
}

export interface Sequence {
  readonly name: string;
  readonly elements: readonly Element[];
}

const CHOSEN: readonly string[] = [
  "ADD MUL:0,0 ADDIW_C BLTU_BACK:,1",
  "ADDI ADDI",
  "ADDI ADD_C",
  "ADDI AND_C:0 ADDI_C BNE_C_BACK:1",
  "ADDIW ANDI:0 BGEU_AHEAD:,1",
  "ADDIW ANDI:0 SLTIU:1 SLLI:2",
  "ADDIW JALR",
  "ADDIW_C ADDIW BEQ_AHEAD:0",
  "ADDIW_C BNE_BACK",
  "ADDIW_C JAL_NEAR",
  "ADDIW_C J_BACK",
  "ADDIW_C SLLI:0 SRLI:1 ADD_C:2",
  "ADDIW_C SRLI_C BNE_C_BACK:0",
  "ADDI_C ADDI_C",
  "ADDI_C ADDW ADD_C BNE_BACK:,0",
  "ADDI_C ADD_C",
  "ADDI_C ADD_C ADD_C",
  "ADDI_C BEQ_AHEAD:0",
  "ADDI_C BNE_BACK:0",
  "ADDI_C JR",
  "ADDI_C SD_C:0 SD_C:0 ADDI_C",
  "ADDI_C SD_C:0 SD_C:0 SD_C:0",
  "ADDW BNE_BACK",
  "ADDW XOR",
  "ADDW_C ADDW:0 ADDW_C ADDW:2,1",
  "ADDW_C BNE_BACK",
  "ADD_C ADDIW ADD_C:,0 JAL_NEAR",
  "ADD_C ADDIW_C SH:0 SH:0,1",
  "ADD_C ADDI_C",
  "ADD_C ADD_C ADDI_C LW_C:1",
  "ADD_C ADD_C ADD_C",
  "ADD_C ADD_C ADD_C ADDI_C",
  "ADD_C ADD_C ADD_C ADD_C",
  "ADD_C ADD_C ADD_C JALR",
  "ADD_C ADD_C JALR",
  "ADD_C ADD_C LD_C SD:1,0",
  "ADD_C BEQ_C_AHEAD",
  "ADD_C BGEU_AHEAD",
  "ADD_C BLT_BACK",
  "ADD_C JALR",
  "ADD_C JR",
  "ADD_C LD_C ADDI_C JR",
  "ADD_C LD_C SD:0 BNE_C_BACK:1",
  "ADD_C LH:0 LD BGE_BACK:,1",
  "ADD_C LW:0 ADDI_C ADDIW_C:1",
  "ADD_C LW_C:0 ADD_C:1 JR:2",
  "ADD_C SLLIW:0 SLLIW:0 SRLIW:0",
  "AND ADDW OR_C XOR:2",
  "ANDI BEQ_C_AHEAD:0",
  "ANDI SLLI_C:0 ADD_C:1 SD:,2",
  "ANDI SRLI_C ADDW_C:,0 BNE_C_BACK:1",
  "LBU ADDI_C ADDI_C",
  "LBU ADDI_C ADDI_C LBU:1",
  "LBU ADDI_C ADDI_C SB:2,0",
  "LBU BEQ_C_AHEAD",
  "LBU BLTU_AHEAD",
  "LBU BNE_C_BACK:0",
  "LBU SRLIW ADDI_C",
  "LD BEQ_AHEAD:0",
  "LD_C ADDIW_C LD_C ADD_C:,0",
  "LD_C ADDI_C JR",
  "LD_C ADD_C LD_C",
  "LD_C LD_C LD_C",
  "LD_C LD_C SLLI_C SRLI_C:2",
  "LD_C SD_C SD_C SD_C:,0",
  "LD_C SLLI ADDIW_C SRLI_C:1",
  "LH BGE_BACK:,0",
  "LW ADDI ADD_C SW_C:,0",
  "LW ADDI_C ADDI MULW:0",
  "LW ADDI_C ADDIW_C:0 SW:,2",
  "LW ADD_C ADD_C ADD_C",
  "LW LW ADDI_C BGEU_BACK:1,0",
  "LW_C ADDIW_C ADDI_C SW_C:,0",
  "LW_C ADDI_C ADDI MULW:0",
  "LW_C ADDI_C ADDI SW_C:1,0",
  "LW_C ADDI_C ADDI_C SW:1,0",
  "LW_C ADD_C BLT_AHEAD:,0",
  "LW_C LW ADDIW_C SW:,0",
  "LW_C LW_C BLTU_AHEAD:0,1",
  "LW_C LW_C LW SLLIW:0",
  "LW_C XOR_C:0 ADDIW_C:1 BNE_BACK",
  "ORI MUL:0 JR",
  "SB ADDI_C BNE_BACK:1",
  "SB ADD_C ADD_C BGEU_BACK:,1",
  "SB BNE_BACK",
  "SD_C ADDI ADDI BNE_BACK:,1",
  "SD_C ADDI_C ADDIW_C BNE_BACK:1",
  "SD_C ADD_C",
  "SD_C SD_C ADDI_C",
  "SD_C SD_C ADD_C",
  "SD_C SD_C SD_C",
  "SD_C SD_C SD_C SD_C",
  "SLLI ADD_C:0",
  "SLLI SRLI:0 ADD_C:1 ADD_C",
  "SLLIW ANDI XOR:,0 SLLI_C:1",
  "SLLIW SLLIW SRAIW:0 SRAIW:1",
  "SLLIW SRLIW SRLIW OR:2,0",
  "SLLIW XORI OR:0 LW",
  "SLLIW XOR_C:0 ADDIW:1 SRLIW:2",
  "SLLIW XOR_C:0 ADDIW:1 SW_C:,2",
  "SLLIW XOR_C:0 ADDIW_C:1 SB:,2",
  "SLLIW XOR_C:0 SLLI:1 SRLI_C:2",
  "SLLIW XOR_C:0 SRLIW:1 XOR_C:2,1",
  "SLLI_C ADD_C:0 LD_C:1",
  "SLLI_C ADD_C:0 LW_C:1 ADD_C:2",
  "SLLI_C SRLI_C:0",
  "SLTU JR",
  "SRLI ADD_C:0",
  "SRLI XOR_C:0 SLLI_C OR_C:2,1",
  "SRLIW ADDW_C XOR_C:,0 ADDW_C:2,1",
  "SRLIW LW_C",
  "SRLIW OR OR XOR",
  "SRLIW OR OR XOR:,0",
  "SRLIW OR OR XOR:2,1",
  "SRLIW OR:0 SRLIW OR_C",
  "SRLIW SLLIW",
  "SRLIW SLLIW ADDW_C XOR",
  "SRLIW SLLIW OR:0 OR:1",
  "SRLIW SLLIW SLLIW SRLIW",
  "SUB_C JR",
  "SW ADDI_C ADDI BNE_BACK:1",
  "SW ADDI_C ADDI_C BNE_BACK:,1",
  "SW BNE_BACK",
  "SW_C ADDIW_C J_BACK",
  "SW_C ADDI_C BNE_BACK:1",
  "XOR AND XOR:0 XOR_C:1",
  "XOR ANDI_C:0 SRLI_C BEQ_C_AHEAD:1",
  "XOR_C ANDI:0 SLLI_C:1 ADD_C:2",
  "XOR_C JR",
  "XOR_C SRLIW:0 XOR_C:1,0 SLLIW:2",
];

export const SEQUENCES: readonly Sequence[] = CHOSEN.map(parseSequence);

function parseSequence(text: string): Sequence {
  return { name: text.replaceAll(" ", "__").replaceAll(/[:,]/g, "_"), elements: text.split(" ").map(parseElement) };
}

function parseElement(text: string): Element {
  const [name, links = ""] = text.split(":") as [string, string?];
  const [rs1From, rs2From] = links.split(",").map((link) => (link === "" ? undefined : Number(link)));
  return { name, rs1From, rs2From };
}
