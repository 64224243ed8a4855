import type { InvoiceState } from "./schema.ts";

export class InvoiceNotFoundError extends Error {
  override readonly name = "InvoiceNotFoundError";

  constructor(invoiceId: string) {
    super(`no invoice ${invoiceId}`);
  }
}

export class InvoiceNotDraftError extends Error {
  override readonly name = "InvoiceNotDraftError";
  readonly state: InvoiceState | undefined;

  constructor(invoiceId: string, state: InvoiceState | undefined) {
    super(
      state === undefined
        ? `invoice id ${invoiceId} is taken: choose another id`
        : `invoice ${invoiceId} is ${state} and can no longer be changed: void it and draft a new one`,
    );
    this.state = state;
  }
}

export class InvoiceWithoutLinesError extends Error {
  override readonly name = "InvoiceWithoutLinesError";

  constructor(invoiceId: string) {
    super(`invoice ${invoiceId} has no lines: add at least one before issuing it`);
  }
}

export type InvoiceStep = "issue" | "pay" | "void" | "move";

/** The state each step starts from. */
export const STEP_FROM = {
  issue: "draft",
  pay: "issued",
  void: "issued",
  move: "issued",
} as const satisfies Record<InvoiceStep, InvoiceState>;

/** A step that the invoice's state does not allow; says what that state allows. */
export class InvoiceStateError extends Error {
  override readonly name = "InvoiceStateError";
  readonly state: InvoiceState;
  readonly step: InvoiceStep;
  /** What can be done with it as it stands; empty once it is paid or void. */
  readonly possible: readonly InvoiceStep[];

  constructor(invoiceId: string, state: InvoiceState, step: InvoiceStep) {
    const possible = (Object.keys(STEP_FROM) as InvoiceStep[]).filter(
      (other) => STEP_FROM[other] === state,
    );
    const remedy =
      possible.length === 0
        ? "nothing more is"
        : `possible now: ${possible.join(" or ")}; nothing else is`;
    super(
      `invoice ${invoiceId} is ${state}, and only ${STEP_FROM[step]} ones can take the step "${step}" (${remedy})`,
    );
    this.state = state;
    this.step = step;
    this.possible = possible;
  }
}
