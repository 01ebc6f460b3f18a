import type { DocumentNode } from "graphql";
import {
  CorrectCaseDocument,
  DisputedCasesDocument,
  FindDocument,
  type CorrectCaseMutation,
  type CorrectCaseMutationVariables,
  type DisputedCasesQuery,
  type FindQueryVariables,
} from "./__generated__/operations.ts";

type Case = NonNullable<DisputedCasesQuery["cases"]>["nodes"][number];

/** One line for each claim about each disputed field, as a newsroom would print it. */
export function report(answer: DisputedCasesQuery): string[] {
  return (answer.cases?.nodes ?? []).flatMap((record) => record.disputes?.map((dispute) => line(record, dispute)) ?? []);
}

function line(record: Case, dispute: NonNullable<Case["disputes"]>[number]): string {
  const decided: string = record.decided ?? "undated";
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

/** One line for each error of a mutation: where it stands, and what is wrong. */
export function complaints(answer: CorrectCaseMutation): string[] {
  const errors = answer.updateCase?.errors ?? [];
  return errors.map(({ path, code, message }) => `${path.join(".")}: ${message} (${code})`);
}

export const documents: DocumentNode[] = [CorrectCaseDocument, DisputedCasesDocument, FindDocument];
