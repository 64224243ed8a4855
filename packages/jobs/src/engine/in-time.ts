/** @throws {EngineSilentError} with `message` if `call` has not answered within `deadlineMs` */
export async function inTime<T>(
  call: () => Promise<T>,
  deadlineMs: number,
  message: string,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new EngineSilentError(message)), deadlineMs);
  });
  try {
    return await Promise.race([call(), late]);
  } finally {
    clearTimeout(timer);
  }
}

class EngineSilentError extends Error {
  override readonly name = "EngineSilentError";
  readonly dependencyDown = true;
}
