import { describe, expect, test } from "vitest";
import { FRAME_INPUT, FRAME_OUTPUT, FrameReader, frame } from "../../../host/cli/socket/frames.ts";
import { Random, seedFrom } from "../../support/seeds.ts";

function collect(): { reader: FrameReader; seen: string[] } {
  const seen: string[] = [];
  const reader = new FrameReader((kind, bytes) =>
    seen.push(`${String.fromCharCode(kind)}:${bytes.toString("latin1")}`),
  );
  return { reader, seen };
}

describe("frames", () => {
  test("come out as they went in, however the stream is cut", () => {
    const seed = seedFrom("FRAMES_SEED");
    const random = new Random(seed);
    const sent = Array.from({ length: 50 }, (_, i) => `${"x".repeat(random.below(300))}${i}`);
    const stream = Buffer.concat(sent.map((text, i) => frame(i % 2 ? FRAME_INPUT : FRAME_OUTPUT, Buffer.from(text))));
    const { reader, seen } = collect();
    for (let at = 0; at < stream.length; ) {
      const piece = 1 + random.below(100);
      expect(reader.push(stream.subarray(at, at + piece))).toBe(true);
      at += piece;
    }
    expect(seen, `FRAMES_SEED=${seed} npx vitest run tests/cli/socket/frames.test.ts`).toEqual(
      sent.map((text, i) => `${i % 2 ? "i" : "o"}:${text}`),
    );
  });

  test("of absurd length end the connection instead of being waited for", () => {
    const { reader, seen } = collect();
    expect(reader.push(Buffer.from([FRAME_INPUT, 255, 255, 255, 255]))).toBe(false);
    expect(seen).toEqual([]);
  });
});
