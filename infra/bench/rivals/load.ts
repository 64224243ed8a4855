/** A module of this folder's own `node_modules`; its types are what the caller says they are. */
export const load = async <Module>(name: string): Promise<Module> => (await import(name)) as Module;
