import { graphql, useFragment } from "react-relay";
import type { CaseCard_case$key } from "./__generated__/CaseCard_case.graphql.ts";

export function CaseCard({ record }: { record: CaseCard_case$key }) {
  const data = useFragment(
    graphql`
      fragment CaseCard_case on Case {
        title(lang: "en")
        decidedOn
        disputed
        court {
          name
        }
        parties(first: 10) {
          nodes {
            role
            person {
              id
              name
            }
            organization {
              id
              name
            }
          }
        }
        disputes {
          field
          accepted
          claims {
            value
            citations {
              quote
              source {
                title
                url
              }
            }
          }
        }
      }
    `,
    record,
  );
  const decided: string | null | undefined = data.decidedOn;
  return (
    <article>
      <h2>{data.title}</h2>
      <p>
        {data.court?.name}, {decided}
        {data.disputed && " (sources disagree)"}
      </p>
      <ul>
        {data.parties?.nodes.map((party, index) => (
          <li key={party.person?.id ?? party.organization?.id ?? index}>
            {party.person?.name ?? party.organization?.name}: {party.role}
          </li>
        ))}
      </ul>
    </article>
  );
}
