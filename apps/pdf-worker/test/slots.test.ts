import { expect, test } from "vitest";
import { Slots } from "../src/slots.ts";

test("places are given in the order they were asked for", async () => {
  const slots = new Slots(1);
  const order: string[] = [];
  const take = async (name: string) => {
    const giveBack = await slots.take();
    order.push(name);
    giveBack();
  };

  const first = await slots.take();
  const waiting = [take("a"), take("b"), take("c")];
  first();
  await Promise.all(waiting);

  expect(order).toEqual(["a", "b", "c"]);
});

test("a place that is given back twice is given out once", async () => {
  const slots = new Slots(1);
  const giveBack = await slots.take();
  giveBack();
  giveBack();

  await slots.take();
  const abort = new AbortController();
  const second = slots.take(abort.signal);
  abort.abort(new Error("still taken"));

  await expect(second).rejects.toThrow("still taken");
});

test("a place is not lost with the one who stopped waiting for it", async () => {
  const slots = new Slots(1);
  const giveBack = await slots.take();
  const abort = new AbortController();
  const gone = slots.take(abort.signal);
  const next = slots.take();
  abort.abort(new Error("gone"));
  giveBack();

  await expect(gone).rejects.toThrow("gone");
  await expect(next).resolves.toBeTypeOf("function");
});
