import { JobError } from "@ballast/jobs";
import type { RemoteHttp } from "./remote-http.ts";

/** Tells what each call comes to: the status of its answer, or the code of what came instead. */
export const counted = (http: RemoteHttp, onCall: (status: string) => void): RemoteHttp => ({
  ...http,
  async request(request, signal) {
    try {
      const response = await http.request(request, signal);
      onCall(String(response.status));
      return response;
    } catch (error) {
      if (!signal.aborted) onCall(error instanceof JobError ? error.code : "unexpected_error");
      throw error;
    }
  },
});
