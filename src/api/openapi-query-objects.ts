import type { SwaggerTransformObject } from '@fastify/swagger';

/**
 * Says of each parameter of an address that is an object how it is written: `name[key]=value`. OpenAPI would
 * otherwise mean `key=value` (https://spec.openapis.org/oas/v3.1.0#style-values).
 */
export const describeQueryObjects: SwaggerTransformObject = (document) => {
  if (!('openapiObject' in document)) return document.swaggerObject;
  const { openapiObject } = document;
  for (const path of Object.values(openapiObject.paths ?? {})) {
    for (const parameter of path?.get?.parameters ?? []) {
      if (!('in' in parameter) || parameter.in !== 'query') continue;
      const { schema } = parameter;
      if (schema && 'type' in schema && schema.type === 'object') {
        Object.assign(parameter, { style: 'deepObject', explode: true });
      }
    }
  }
  return openapiObject;
};
