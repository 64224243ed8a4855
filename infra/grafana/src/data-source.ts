/** The data source that `provisioning/datasources` makes. */
export const PROMETHEUS = { type: "prometheus", uid: "prometheus" } as const;
