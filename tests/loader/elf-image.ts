// Builds small ELF files for the loader's tests, valid unless a test bends a field.

export interface SegmentFields {
  type?: number;
  flags?: number;
  offset?: number;
  va?: number;
  fileBytes?: number;
  memoryBytes?: number;
}

export interface ElfFields {
  type?: number;
  entry?: number;
  segments?: SegmentFields[];
  /** Bytes of the whole file. */
  fileBytes?: number;
}

export const PT_LOAD = 1;
export const PT_INTERP = 3;
export const TEXT_VA = 0x10000;

export function elfImage(fields: ElfFields = {}): Uint8Array {
  const segments = fields.segments ?? [{}];
  const image = new Uint8Array(fields.fileBytes ?? 0x2000);
  const view = new DataView(image.buffer);
  image.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, fields.type ?? 2, true);
  view.setUint16(18, 243, true);
  view.setUint32(20, 1, true);
  setU64(view, 24, fields.entry ?? TEXT_VA + 0x100);
  setU64(view, 32, 64);
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, segments.length, true);
  for (const [i, segment] of segments.entries()) writeSegment(view, 64 + i * 56, segment);
  return image;
}

function writeSegment(view: DataView, at: number, segment: SegmentFields): void {
  const fileBytes = segment.fileBytes ?? 0x1000;
  view.setUint32(at, segment.type ?? PT_LOAD, true);
  view.setUint32(at + 4, segment.flags ?? 5, true);
  setU64(view, at + 8, segment.offset ?? 0);
  setU64(view, at + 16, segment.va ?? TEXT_VA);
  setU64(view, at + 24, segment.va ?? TEXT_VA);
  setU64(view, at + 32, fileBytes);
  setU64(view, at + 40, segment.memoryBytes ?? fileBytes);
  setU64(view, at + 48, 0x1000);
}

function setU64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % 2 ** 32, true);
  view.setUint32(at + 4, value / 2 ** 32, true);
}
