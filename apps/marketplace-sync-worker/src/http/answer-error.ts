/** Why there was no whole answer: stable code, the status if there was one, and how much was read. */
export class AnswerError extends Error {
  readonly code: string;
  readonly status: number | undefined;
  readonly sizeBytes: number;

  constructor(code: string, message: string, told: { status?: number; sizeBytes?: number } = {}) {
    super(message);
    this.name = "AnswerError";
    this.code = code;
    this.status = told.status;
    this.sizeBytes = told.sizeBytes ?? 0;
  }
}

/** Ended by its signal; the reason says why, and the rest how far it had come. */
export const cutOff = (
  { reason }: AbortSignal,
  { status, sizeBytes }: { readonly status: number; readonly sizeBytes: number },
) =>
  new AnswerError("answer_endless", reason instanceof Error ? reason.message : "aborted", {
    ...(status === 0 ? {} : { status }),
    sizeBytes,
  });

export const tooLarge = (status: number, sizeBytes: number, maxBytes: number) =>
  new AnswerError(
    "answer_too_large",
    `answered ${status} with ${sizeBytes} bytes or more; at most ${maxBytes} are read`,
    { status, sizeBytes },
  );
