import { AxiosHeaders, type InternalAxiosRequestConfig } from "axios";
import type { Dispatcher } from "undici";
import { expect, test } from "vitest";
import { type Answer, undiciAdapter } from "../../src/http/undici-adapter.ts";
import { usedHeapBytes } from "./used-heap.ts";

const controller = {} as Dispatcher.DispatchController;

test("an answer that comes a byte at a time takes no more room than its bytes", async () => {
  let handler: Dispatcher.DispatchHandler = {};
  const dispatcher = {
    dispatch(_options: Dispatcher.DispatchOptions, given: Dispatcher.DispatchHandler) {
      handler = given;
      return true;
    },
  } as Dispatcher;
  const config: InternalAxiosRequestConfig = {
    url: "https://shop.example.org/",
    headers: new AxiosHeaders(),
  };
  const answer = undiciAdapter(dispatcher, new AbortController().signal)(config);
  handler.onResponseStart?.(controller, 200, {});
  const before = usedHeapBytes();
  for (let n = 0; n < 300_000; n++)
    handler.onResponseData?.(controller, Buffer.from([0x61 + (n % 10)]));
  expect(usedHeapBytes() - before).toBeLessThan(2_000_000);

  handler.onResponseEnd?.(controller, {});
  const { bytes } = (await answer).data as Answer;
  expect(bytes.toString()).toBe("abcdefghij".repeat(30_000));
});
