// What rings at a hart's doorbell and what it does about it. serve() runs at every poll: in hart-waits with locks
// held, and between instructions of the guest. So it takes no lock and allocates nothing; work that needs a lock is
// remembered in `deferred` and done by the hart loop.

import {
  COUNTER_SHOOT_LAZIES_USEFUL,
  COUNTER_UNLAZY_IN_FLUSH,
  DOORBELL_CONSOLE,
  DOORBELL_IPI,
  DOORBELL_NMI,
  DOORBELL_RESCHED,
  DOORBELL_TLBI,
  HART_DOORBELL,
  HART_NEED_RESCHED,
  IPI_BARRIER,
  IPI_FENCE_I,
  IPI_FLUSH,
  IPI_FLUSH_LAST,
  IPI_RSEQ,
  IPI_UNLAZY,
} from "../../assembly/layout.ts";
import { KernelBug } from "../memory/errors.ts";
import type { InterruptController } from "../memory/hart-services.ts";
import { type IpiHandler, serveMailbox } from "../memory/ipi.ts";
import { A_M2, MUTATIONS } from "../memory/mutation.ts";
import { serveTlbi } from "../memory/tlbi.ts";
import { TLB_REMOTE_SHOOTDOWN, TRACE_TLB_FLUSH, trace } from "../memory/trace.ts";
import { unlazyMm } from "../mm/lazy.ts";
import type { Hart } from "../policy/hart.ts";
import { handleNmi } from "./nmi.ts";
import { preemptRseq } from "./process/rseq.ts";

const UNMASKABLE = DOORBELL_NMI | DOORBELL_TLBI;

export class DoorbellController implements InterruptController {
  /** DOORBELL_* bits whose work waits for the hart loop. */
  deferred = 0;
  readonly #hart: Hart;
  readonly #handle: IpiHandler;
  /** A-M2: the mm that is left once the IPI has been acknowledged. */
  #late = 0;

  constructor(hart: Hart) {
    this.#hart = hart;
    this.#handle = (op, arg0, arg1, arg2, arg3) => {
      if (MUTATIONS && hart.mutation === A_M2 && op === IPI_UNLAZY) this.#late = arg0;
      else handleIpi(hart, op, arg0, arg1, arg2, arg3);
    };
  }

  serve(unmaskable = false): void {
    const { shared, base } = this.#hart;
    const rung = shared.loadOnce(base + HART_DOORBELL);
    if (rung === 0) return;
    if (unmaskable) {
      if ((rung & UNMASKABLE) !== 0) this.#serveUnmaskable(shared.fetchAnd(base + HART_DOORBELL, ~UNMASKABLE));
      return;
    }
    this.#serveBits(shared.exchange(base + HART_DOORBELL, 0));
  }

  #serveUnmaskable(bits: number): void {
    if ((bits & DOORBELL_TLBI) !== 0) serveTlbi(this.#hart);
    if ((bits & DOORBELL_NMI) !== 0) handleNmi(this.#hart);
  }

  #serveBits(bits: number): void {
    const hart = this.#hart;
    if ((bits & UNMASKABLE) !== 0) this.#serveUnmaskable(bits);
    if ((bits & DOORBELL_IPI) !== 0) this.#serveIpis();
    if ((bits & DOORBELL_RESCHED) !== 0) hart.set(HART_NEED_RESCHED, 1);
    this.deferred |= bits & DOORBELL_CONSOLE;
  }

  #serveIpis(): void {
    serveMailbox(this.#hart, this.#handle);
    if (!MUTATIONS || this.#late === 0) return;
    unlazyMm(this.#hart, this.#late);
    this.#late = 0;
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
      trace(hart, TRACE_TLB_FLUSH, TLB_REMOTE_SHOOTDOWN, arg2, arg0, arg1);
      hart.policies.tlbFlush.onIpi(hart, arg0, arg1, arg2, arg3);
      return;
    case IPI_FLUSH_LAST:
      // The other mm is loaded first: what the flush then finds is another mm's, or nothing.
      if (unlazyMm(hart, arg0)) hart.count(COUNTER_UNLAZY_IN_FLUSH);
      trace(hart, TRACE_TLB_FLUSH, TLB_REMOTE_SHOOTDOWN, arg2, arg0, arg1);
      hart.policies.tlbFlush.onIpi(hart, arg0, arg1, arg2, arg3);
      return;
    case IPI_UNLAZY:
      if (unlazyMm(hart, arg0)) hart.count(COUNTER_SHOOT_LAZIES_USEFUL);
      return;
    case IPI_FENCE_I:
      hart.core.fenceI();
      return;
    case IPI_BARRIER:
      hart.core.fullFence();
      return;
    case IPI_RSEQ:
      preemptRseq(hart);
      return;
    default:
      throw new KernelBug("IPI of no known kind", { op, arg0 });
  }
}
