import {
  asAdmin,
  createDatabase,
  dropDatabase,
  freshName,
  urlOfDatabase,
} from "./admin-connection.ts";

export interface EmptyDatabase extends AsyncDisposable {
  readonly name: string;
  readonly url: string;
}

/** Make a database with nothing in it; disposing drops it, whoever is connected. */
export async function openEmptyDatabase(kind = "empty"): Promise<EmptyDatabase> {
  const name = freshName(kind);
  await asAdmin((client) => createDatabase(client, name));
  return {
    name,
    url: urlOfDatabase(name),
    [Symbol.asyncDispose]: () => asAdmin(async (client) => void (await dropDatabase(client, name))),
  };
}
