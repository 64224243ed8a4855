const LINE = /.{1,76}/g;

/**
 * A file as the body of a mail part: base64 in lines of 76 characters that end with CRLF, none after
 * the last.
 *
 * Made once beside the PDF, so that sending it, and sending it again, costs no encoding.
 *
 * @see RFC 2045 §6.8
 */
export const mailBody = (file: Uint8Array): Buffer =>
  Buffer.from(
    (
      Buffer.from(file.buffer, file.byteOffset, file.byteLength).toString("base64").match(LINE) ??
      []
    ).join("\r\n"),
    "latin1",
  );
