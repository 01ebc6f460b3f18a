import type { DocumentNode } from "graphql";
import {
  CorrectCaseDocument,
  DisputedCasesDocument,
  FindDocument,
  type CorrectCaseMutation,
  type CorrectCaseMutationVariables,
  type DisputedCasesQuery,
  type FindQueryVariables,
} from "./__generated__/graphql.ts";

type Case = NonNullable<DisputedCasesQuery["cases"]>["nodes"][number];

/** One line per disputed field, with all claims and their sources. */
export function report(data: DisputedCasesQuery): string[] {
  return (data.cases?.nodes ?? []).flatMap((record) => record.disputes?.map((dispute) => line(record, dispute)) ?? []);
}

function line(record: Case, dispute: NonNullable<Case["disputes"]>[number]): string {
  const decided: string = record.decidedOn ?? "undated";
  const claims = dispute.claims.map(({ value, citations }) => {
    const sources = citations.map(({ source }) => source?.title ?? "unknown");
    return `${value ?? "none"} (${sources.join(", ")})`;
  });
  return `${record.title ?? record.id}, ${decided}: ${dispute.field} ${claims.join(" or ")}`;
}

export const variables: FindQueryVariables = { query: "Ilyashev" };

export const correction: CorrectCaseMutationVariables = {
  input: { id: "kazakhstan-v-ilyashev", summary: { en: "Sentenced.", ru: "Осужден." }, court: null, expectedRevision: 1 },
};

/** One line per error of a mutation: its path, message and code. */
export function errorLines(data: CorrectCaseMutation): string[] {
  const errors = data.updateCase?.errors ?? [];
  return errors.map(({ path, code, message }) => `${path.join(".")}: ${message} (${code})`);
}

export const documents: DocumentNode[] = [CorrectCaseDocument, DisputedCasesDocument, FindDocument];
