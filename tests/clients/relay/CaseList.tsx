import { graphql, useLazyLoadQuery, usePaginationFragment } from "react-relay";
import type { CaseListQuery } from "./__generated__/CaseListQuery.graphql.ts";
import type { CaseListPaginationQuery } from "./__generated__/CaseListPaginationQuery.graphql.ts";
import type { CaseList_query$key } from "./__generated__/CaseList_query.graphql.ts";
import { CaseCard } from "./CaseCard.tsx";

export function CaseList() {
  const query = useLazyLoadQuery<CaseListQuery>(
    graphql`
      query CaseListQuery($count: Int!) {
        ...CaseList_query @arguments(count: $count)
      }
    `,
    { count: 20 },
  );
  return <Cases query={query} />;
}

function Cases({ query }: { query: CaseList_query$key }) {
  const { data, hasNext, isLoadingNext, loadNext } = usePaginationFragment<CaseListPaginationQuery, CaseList_query$key>(
    graphql`
      fragment CaseList_query on Query
      @argumentDefinitions(count: { type: "Int", defaultValue: 20 }, cursor: { type: "String" })
      @refetchable(queryName: "CaseListPaginationQuery") {
        cases(first: $count, after: $cursor) @connection(key: "CaseList_cases") {
          totalCount
          edges {
            node {
              id
              ...CaseCard_case
            }
          }
        }
      }
    `,
    query,
  );
  return (
    <section>
      <h1>{data.cases?.totalCount} cases</h1>
      {data.cases?.edges.map(({ node }) => <CaseCard key={node.id} record={node} />)}
      {hasNext && (
        <button disabled={isLoadingNext} onClick={() => loadNext(20)}>
          More
        </button>
      )}
    </section>
  );
}
