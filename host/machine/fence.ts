// A module of one function, encoded by hand because the AssemblyScript compiler cannot: `(func (export "fence")
// atomic.fence)`. On x86-64 the core uses an atomic read-modify-write, which is a full barrier there and cheaper; on
// arm64 it is not one (load-acquire and store-release exclusive let later loads pass), so the core calls this.

// biome-ignore format: one section a line
const FENCE_MODULE = new Uint8Array([
  0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, // "\0asm", version 1
  0x01, 0x04, 0x01, 0x60, 0x00, 0x00, // type section: one type, () -> ()
  0x03, 0x02, 0x01, 0x00, // function section: one function of type 0
  0x07, 0x09, 0x01, 0x05, 0x66, 0x65, 0x6e, 0x63, 0x65, 0x00, 0x00, // export section: "fence" is function 0
  0x0a, 0x07, 0x01, 0x05, 0x00, 0xfe, 0x03, 0x00, 0x0b, // code section: no locals, atomic.fence 0, end
]);

/** A full memory barrier of the host, callable from Wasm. */
export function makeFence(): () => void {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(FENCE_MODULE));
  return instance.exports.fence as () => void;
}
