// Harts as coroutines. In the explorer's bundle every kernel function that may reach a schedule point is a generator
// function (host/build/generators.ts); this folder is not rewritten and holds the generators in its hands. A schedule
// that ends early simply drops them: nothing of the kernel runs any more, and the memory image is restored.

/** What a hart does from one schedule point to the next is one next(). */
export type Coroutine = Iterator<void, void, void>;

const ENDED: Coroutine = { next: () => ({ done: true, value: undefined }) };

/** `body` is typed as the plain function it is written as; a function that suspends nowhere has run when it returns. */
export function asCoroutine(body: () => void): Coroutine {
  const result = body() as unknown;
  const isGenerator = typeof result === "object" && result !== null && "next" in result;
  return isGenerator ? (result as Coroutine) : ENDED;
}

/** Runs kernel code outside any schedule: no scheduler is set, so it never stops. */
export function runToEnd<Result>(body: () => Result): Result {
  const result = body() as unknown;
  if (typeof result !== "object" || result === null || !("next" in result)) return result as Result;
  const step = (result as Iterator<void, Result, void>).next();
  if (step.done !== true) throw new Error("kernel code stopped outside a schedule");
  return step.value;
}
