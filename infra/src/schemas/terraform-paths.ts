import type { HclStep } from "../hcl/syntax.ts";
import { nearest } from "./nearest.ts";
import type { AttributeSchema, BlockSchema, BodySchema, TerraformType } from "./terraform-providers.ts";

type StepProblem = { message: string; remedy?: string };

/** What is wrong with a way into the attributes of a resource; undefined when nothing is, or when it cannot be told. */
export function stepProblem(schema: BodySchema, steps: readonly HclStep[]): StepProblem | undefined {
  const [first, ...rest] = steps;
  if (typeof first !== "string" || first === "*") return undefined;
  const part = Object.hasOwn(schema, first) ? schema[first] : undefined;
  if (part === undefined) {
    const guess = nearest(first, Object.keys(schema));
    return {
      message: `there is no attribute "${first}".`,
      ...(guess === undefined ? {} : { remedy: `Did you mean "${guess}"?` }),
    };
  }
  if (part.block !== undefined) return throughCollection(first, { kind: part.block, body: part.body, rest });
  if (part.body !== undefined)
    return throughCollection(first, { kind: part.nesting ?? "single", body: part.body, rest });
  return part.type === undefined ? undefined : typeProblem(first, part.type, rest);
}

type Collection = {
  kind: NonNullable<BlockSchema["block"] | AttributeSchema["nesting"]>;
  body: BodySchema;
  rest: readonly HclStep[];
};

function throughCollection(name: string, { kind, body, rest }: Collection): StepProblem | undefined {
  if (rest.length === 0) return undefined;
  if (kind === "single") return stepProblem(body, rest);
  const [index, ...inner] = rest;
  if (kind === "map") return stepProblem(body, inner);
  if (typeof index === "string" && index !== "*")
    return {
      message: `"${name}" is a ${kind} of objects, which has no attribute "${index}" itself.`,
      remedy:
        kind === "list"
          ? `Write ${name}[0].${index}.`
          : `Write one(${name}[*].${index}) or tolist(${name})[0].${index}.`,
    };
  if (kind === "set" && typeof index === "number")
    return {
      message: `"${name}" is a set: its elements have no index.`,
      remedy: `Write tolist(${name})[${index}].`,
    };
  return stepProblem(body, inner);
}

/** As `stepProblem`, for a value of a type. */
export function typeProblem(
  name: string,
  type: TerraformType,
  steps: readonly HclStep[],
): StepProblem | undefined {
  const [step, ...rest] = steps;
  if (step === undefined || type === "dynamic") return undefined;
  if (typeof type === "string")
    return {
      message: `Can't access attributes on a primitive-typed value: "${name}" is a ${type}.`,
      ...(type === "string" ? { remedy: "If it holds JSON, decode it first: jsondecode(...)." } : {}),
    };
  const [outer, inner] = type;
  if (outer === "optional") return isType(inner) ? typeProblem(name, inner, steps) : undefined;
  if (outer === "map") return isType(inner) ? typeProblem(name, inner, rest) : undefined;
  if (outer === "object") return objectProblem(name, inner, steps);
  if (outer !== "list" && outer !== "set") return undefined;
  if (typeof step === "string" && step !== "*")
    return {
      message: `"${name}" is a ${outer}, which has no attribute "${step}".`,
      remedy: `Write ${name}[0].${step}.`,
    };
  return isType(inner) ? typeProblem(`${name}[…]`, inner, rest) : undefined;
}

function objectProblem(
  name: string,
  inner: TerraformType | Readonly<Record<string, TerraformType>>,
  steps: readonly HclStep[],
): StepProblem | undefined {
  const [step, ...rest] = steps;
  if (isType(inner) || typeof step !== "string" || step === "*") return undefined;
  const member = Object.hasOwn(inner, step) ? inner[step] : undefined;
  if (member !== undefined) return typeProblem(step, member, rest);
  const guess = nearest(step, Object.keys(inner));
  return {
    message: `"${name}" has no attribute "${step}".`,
    ...(guess === undefined ? {} : { remedy: `Did you mean "${guess}"?` }),
  };
}

const isType = (inner: TerraformType | Readonly<Record<string, TerraformType>>): inner is TerraformType =>
  typeof inner === "string" || Array.isArray(inner);
