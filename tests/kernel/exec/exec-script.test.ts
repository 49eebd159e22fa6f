// The first line of a script, as bytes.

import { expect, test } from "vitest";
import { parseScriptLine } from "../../../host/kernel/exec/exec-script.ts";
import { ENOEXEC } from "../../../host/memory/errno.ts";

function parse(text: string): unknown {
  const line = parseScriptLine(new TextEncoder().encode(text));
  if (typeof line === "number") return line;
  const decode = (bytes: Uint8Array | null) => (bytes === null ? null : new TextDecoder().decode(bytes));
  return [decode(line.interpreter), decode(line.argument)];
}

test.each([
  ["#!/bin/sh\n", ["/bin/sh", null]],
  ["#!/bin/sh", ["/bin/sh", null]],
  ["#! \t/bin/sh \t\n", ["/bin/sh", null]],
  ["#!/usr/bin/env  perl -w \nx", ["/usr/bin/env", "perl -w"]],
  ["#!/bin/sh\0-x\n", ["/bin/sh", null]],
  ["#!\n/bin/sh", -ENOEXEC],
  ["#!   ", -ENOEXEC],
  [`#!/bin/${"a".repeat(300)}`, -ENOEXEC],
  [`#!/bin/sh ${"a".repeat(300)}`, ["/bin/sh", "a".repeat(256 - 10)]],
])("%j", (text, result) => {
  expect(parse(text)).toEqual(result);
});
