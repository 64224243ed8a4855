/** One event or comment of a stream, as it was sent. */
export interface StreamEvent {
  readonly id?: string;
  readonly event?: string;
  // biome-ignore lint/suspicious/noExplicitAny: what the wire brings has the type the test expects
  readonly data?: any;
  readonly comment?: string;
}

/** Open a stream of server-sent events; iterate over it, or dispose it to hang up. */
export async function openEvents(url: string, key: string, lastEventId?: string) {
  const hangUp = new AbortController();
  const response = await fetch(url, {
    signal: hangUp.signal,
    headers: {
      Authorization: `Bearer ${key}`,
      ...(lastEventId === undefined ? {} : { "Last-Event-ID": lastEventId }),
    },
  });
  return {
    status: response.status,
    headers: response.headers,
    events: parse(response.body ?? new ReadableStream()),
    [Symbol.dispose]: () => hangUp.abort(),
  };
}

async function* parse(body: ReadableStream<Uint8Array>): AsyncGenerator<StreamEvent> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const event = eventOf(text.slice(0, end));
      text = text.slice(end + 2);
      if (event !== undefined) yield event;
    }
  }
}

function eventOf(block: string): StreamEvent | undefined {
  const fields = Object.fromEntries(
    block
      .split("\n")
      .map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]),
  );
  if (fields[""] !== undefined) return { comment: fields[""] };
  if (fields["data"] === undefined) return undefined; // `retry:`
  return { ...fields, data: JSON.parse(fields["data"]) };
}
