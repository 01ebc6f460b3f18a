import { graphql, useLazyLoadQuery } from "react-relay";
import type { RecordPageQuery } from "./__generated__/RecordPageQuery.graphql.ts";
import { CaseCard } from "./CaseCard.tsx";

export function RecordPage({ id }: { id: string }) {
  const { node } = useLazyLoadQuery<RecordPageQuery>(
    graphql`
      query RecordPageQuery($id: ID!) {
        node(id: $id) {
          __typename
          id
          ... on Person {
            name
            birthDate
          }
          ...CaseCard_case @alias(as: "case")
        }
      }
    `,
    { id },
  );
  if (node?.__typename === "Person") return <h1>{node.name}</h1>;
  return node?.case ? <CaseCard record={node.case} /> : null;
}
