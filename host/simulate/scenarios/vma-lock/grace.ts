import { scenario } from "../../scenario.ts";
import { sharedMm } from "../address-space.ts";
import { exitAndLeave } from "../threads.ts";
import { faultAt, mapPages, unmapPages } from "./fault.ts";

interface State {
  readonly mm: number;
}

/** Nodes of the map are freed as soon as they may be: a fault that still looks at one must be in a read section. */
export const earliestGrace = scenario<State>({
  name: "D/earliest-grace",
  summary: "a vma comes and goes while another hart takes faults; grace periods end at the earliest",
  injects: ["earliest-grace"],
  finds: {},
  setUp(_hart, harts) {
    return { mm: sharedMm(harts, 2) };
  },
  programs: [
    (hart, { mm }) => {
      unmapPages(hart, mm, 0, 2);
      mapPages(hart, mm, 0, 1);
      unmapPages(hart, mm, 0, 1);
    },
    (hart) => faultAt(hart, 0, 4),
  ],
  tearDown: exitAndLeave,
});
