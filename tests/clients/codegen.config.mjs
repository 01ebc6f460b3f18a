/** @type {import("@graphql-codegen/cli").CodegenConfig} */
export default {
  schema: "../../schema.graphql",
  documents: "codegen/*.graphql",
  generates: {
    "codegen/__generated__/operations.ts": {
      plugins: ["typescript", "typescript-operations", "typed-document-node"],
      config: {
        useTypeImports: true,
        enumsAsTypes: true,
        // an unlisted scalar fails the build instead of becoming `any`
        strictScalars: true,
        scalars: { DateTime: "string", Duration: "string", JSON: "unknown", Language: "string", PartialDate: "string", PathSegment: "string | number", Translations: "{ [language: string]: string }", Upload: "File", URL: "string" },
      },
    },
  },
};
