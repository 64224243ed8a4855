/** The answer to a wish for work: it is recorded, and there it can be followed. */
export const accepted = <Body extends { readonly requestId: string }>(body: Body) => ({
  status: 202,
  headers: { Location: `/v1/jobs/${body.requestId}` },
  body,
});
