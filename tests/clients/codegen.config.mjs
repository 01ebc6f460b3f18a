/** @type {import("@graphql-codegen/cli").CodegenConfig} */
export default {
  schema: "../../schema.graphql",
  documents: "codegen/*.graphql",
  generates: {
    "codegen/__generated__/": {
      preset: "client",
      presetConfig: { fragmentMasking: false },
      config: {
        useTypeImports: true,
        enumsAsTypes: true,
        // an unlisted scalar fails the build instead of becoming `any`
        strictScalars: true,
        scalars: { DateTime: "string", Duration: "string", Language: "string", PartialDate: "string", PathSegment: "string | number", Translations: "{ [language: string]: string }", Upload: "File", URL: "string" },
      },
    },
  },
};
