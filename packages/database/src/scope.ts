/** Whose rows a caller may see: one company's, or everybody's. */
export type CompanyScope = string | "all";
