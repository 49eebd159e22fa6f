// What rings at a hart's doorbell and what it does about it. serve() runs at every poll: in hart-waits with locks
// held, and between instructions of the guest. So it takes no lock and allocates nothing; work that needs a lock is
// remembered in `deferred` and done by the hart loop.

import {
  DOORBELL_CONSOLE,
  DOORBELL_IPI,
  DOORBELL_RESCHED,
  HART_DOORBELL,
  HART_NEED_RESCHED,
  IPI_BARRIER,
  IPI_FENCE_I,
  IPI_FLUSH,
} from "../../assembly/layout.ts";
import { KernelBug } from "../memory/errors.ts";
import type { InterruptController } from "../memory/hart-local.ts";
import { type IpiHandler, serveMailbox } from "../memory/ipi.ts";
import type { Hart } from "../policy/hart.ts";

export class DoorbellController implements InterruptController {
  /** DOORBELL_* bits whose work waits for the hart loop. */
  deferred = 0;
  readonly #hart: Hart;
  readonly #handle: IpiHandler;

  constructor(hart: Hart) {
    this.#hart = hart;
    this.#handle = (op, arg0, arg1, arg2, arg3) => handleIpi(hart, op, arg0, arg1, arg2, arg3);
  }

  serve(): void {
    const hart = this.#hart;
    if (hart.shared.loadOnce(hart.base + HART_DOORBELL) === 0) return;
    const bits = hart.shared.exchange(hart.base + HART_DOORBELL, 0);
    if ((bits & DOORBELL_IPI) !== 0) serveMailbox(hart, this.#handle);
    if ((bits & DOORBELL_RESCHED) !== 0) hart.set(HART_NEED_RESCHED, 1);
    this.deferred |= bits & DOORBELL_CONSOLE;
  }

  /** The bits of `deferred`, which it clears. */
  takeDeferred(): number {
    const bits = this.deferred;
    this.deferred = 0;
    return bits;
  }
}

function handleIpi(hart: Hart, op: number, arg0: number, arg1: number, arg2: number, arg3: number): void {
  switch (op) {
    case IPI_FLUSH:
      hart.policies.tlbFlush.onIpi(hart, arg0, arg1, arg2, arg3);
      return;
    case IPI_FENCE_I:
      hart.core.fenceI();
      return;
    case IPI_BARRIER:
      hart.core.fullFence();
      return;
    default:
      throw new KernelBug("IPI of no known kind", { op, arg0 });
  }
}
