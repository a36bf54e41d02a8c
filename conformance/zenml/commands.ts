// The commands of ZenML's CLI, in an order in which each finds what it is about. `{n}` is what the client's own names
// begin with, `{home}` its own folder; `<kept>` is what an earlier command's output was kept as.
import type { ZenmlVersion } from "../src/environment.ts";
import { fresh, old, refused, run, says } from "./command-words.ts";

export interface Command {
  readonly args: readonly string[];
  /** 0 unless said. */
  readonly code?: number;
  /** What its output must say. */
  readonly says?: RegExp;
  readonly input?: string;
  readonly keep?: Readonly<Record<string, string>>;
  readonly versions?: readonly ZenmlVersion[];
}

export const commands: readonly Command[] = [
  run("status"),
  run("version"),
  says("project list", /default/),
  run("project register {n}-project"),
  refused("project register {n}-project"),
  says("project describe {n}-project", /{n}-project/),
  run("project set {n}-project"),
  run("project set default"),
  run("project delete {n}-project", { input: "y\n" }),
  refused("project set {n}-project"),

  says("tag list", /./),
  run("tag register -n {n}-tag -c red"),
  refused("tag register -n {n}-tag -c red"),
  run("tag update {n}-tag --name {n}-tag2 --color blue"),
  says("tag list --name contains:{n}-tag2", /{n}-tag2/),
  run("tag delete {n}-tag2 --yes"),

  run("secret create {n}-secret --user=me --password=hidden"),
  refused("secret create {n}-secret --a=b"),
  says("secret get {n}-secret", /hidden/),
  says("secret list", /{n}-secret/),
  run("secret update {n}-secret --user=you --more=x"),
  says("secret get {n}-secret", /you/),
  run("secret update {n}-secret --remove-keys more"),
  run("secret rename {n}-secret -n {n}-renamed"),
  run("secret export {n}-renamed"),

  says("artifact-store flavor list", /s3/),
  says("orchestrator flavor describe kubernetes", /kubernetes/),
  run("artifact-store register {n}-store -f local --path={home}/store"),
  refused("artifact-store register {n}-store -f local --path={home}/other"),
  says("artifact-store describe {n}-store", /{n}-store/),
  says("artifact-store list", /{n}-store/),
  run("artifact-store update {n}-store -l team=a"),
  run("artifact-store rename {n}-store {n}-store2"),
  run("artifact-store copy {n}-store2 {n}-copied"),
  run("artifact-store remove-attribute {n}-copied path"),
  run("artifact-store delete {n}-copied"),
  run("orchestrator register {n}-orchestrator -f local"),
  run(
    "experiment-tracker register {n}-tracker -f mlflow --tracking_uri=http://localhost --tracking_username={{{n}-renamed.user}} --tracking_password={{{n}-renamed.password}}",
  ),
  run("orchestrator flavor register custom_flavor.OwnFlavor"),
  says("orchestrator flavor describe {n}-flavor", /queue/),
  run("orchestrator register {n}-own -f {n}-flavor --queue=fast --workers=4"),
  says("orchestrator describe {n}-own", /fast/),
  refused("orchestrator register {n}-bad -f {n}-flavor --workers=many"),
  refused("orchestrator register {n}-bad -f nothing"),

  run("stack register {n}-stack -o {n}-orchestrator -a {n}-store2"),
  refused("stack register {n}-stack -o {n}-orchestrator -a {n}-store2"),
  refused("stack register {n}-none -o nothing -a {n}-store2"),
  says("stack describe {n}-stack", /{n}-store2/),
  says("stack list", /{n}-stack/),
  run("stack update {n}-stack -e {n}-tracker"),
  says("stack describe {n}-stack", /{n}-tracker/),
  run("stack remove-component {n}-stack -e"),
  run("stack rename {n}-stack {n}-stack2"),
  run("stack copy {n}-stack2 {n}-stack3"),
  run("stack export {n}-stack3 {home}/stack.yaml"),
  run("stack delete {n}-stack3 --yes"),
  run("stack import {n}-imported -f {home}/stack.yaml"),
  says("stack describe {n}-imported", /{n}-orchestrator/),
  refused("orchestrator delete {n}-orchestrator"),
  refused("stack delete default --yes"),
  refused("stack update default -o {n}-own"),
  run("stack set {n}-stack2"),
  says("stack get", /{n}-stack2/),

  says("pipeline run flow_of_commands.by_command", /./),
  run("stack set default"),
  says("pipeline run flow_of_commands.by_command", /./),
  says("pipeline list", /by_command/),
  says("pipeline runs list", /by_command/),
  run("pipeline register flow_of_commands.by_command"),
  run("pipeline builds list"),
  run("pipeline schedule list"),
  refused("pipeline schedule delete nothing --yes"),
  refused("pipeline runs delete nothing --yes"),
  run("stack delete {n}-imported --yes"),

  says("artifact list", /./),
  says("artifact version list", /./),
  run("artifact update saved-{n} -n saved-{n} -t by-command", { code: 1 }),
  run("model register -n {n}-model -d described -t champion"),
  refused("model register -n {n}-model"),
  says("model list", /{n}-model/),
  run("model update {n}-model -d changed"),
  run("model version list --model {n}-model"),
  run("model runs {n}-model", { code: 1 }),
  run("model delete {n}-model --yes"),

  says("user list", /admin/),
  run("user create {n}-user --password 'a password of some length'"),
  says("user describe {n}-user", /{n}-user/, old),
  run("user update {n}-user -f 'A Person'"),
  run("user delete {n}-user", { code: 0 }),
  run("service-account create {n}-account -d builds"),
  says("service-account list", /{n}-account/),
  run("service-account describe {n}-account"),
  run("service-account api-key {n}-account create {n}-key"),
  says("service-account api-key {n}-account list", /{n}-key/),
  run("service-account api-key {n}-account rotate {n}-key"),
  run("service-account api-key {n}-account delete {n}-key --yes"),
  run("service-account update {n}-account -d other"),
  run("service-account delete {n}-account"),
  run("authorized-device list"),

  says("service-connector list-types", /docker/),
  says("service-connector describe-type docker", /docker/i),
  run(
    "service-connector register {n}-docker -t docker --username=me --password=hidden --registry=http://127.0.0.1:9 --no-verify",
  ),
  says("service-connector list", /{n}-docker/),
  says("service-connector describe {n}-docker", /{n}-docker/),
  run("service-connector update {n}-docker --description=described --no-verify"),
  run("service-connector delete {n}-docker"),

  run("code-repository list"),

  run("webhook create {n}-hook --type custom", fresh),
  says("webhook list", /{n}-hook/, fresh),
  run("webhook describe {n}-hook", fresh),
  run("webhook rotate-secret {n}-hook", fresh),
  run("webhook delete {n}-hook --yes", fresh),
  run("trigger schedule create {n}-nightly --cron-expression '0 3 * * *'", fresh),
  says("trigger schedule list", /{n}-nightly/, fresh),
  run("trigger schedule update {n}-nightly --cron-expression '0 4 * * *'", fresh),
  run("trigger schedule delete {n}-nightly", fresh),
  run("trigger platform-event list", fresh),
  run("trigger platform-event list-supported-events pipeline_run", fresh),
  run("trigger webhook list", fresh),
  run("pipeline snapshot create flow_of_commands.by_command -n {n}-snapshot", fresh),
  says("pipeline snapshot list", /{n}-snapshot/, fresh),
  run("pipeline snapshot delete {n}-snapshot --yes", fresh),
  run("deployment list", fresh),
  run("hook-invocation list", fresh),
  refused("resource-request list", /./, fresh),
  run("pipeline runs wait-conditions list", fresh),

  run("stack delete {n}-stack2 --yes"),
  run("orchestrator delete {n}-own"),
  run("orchestrator flavor delete {n}-flavor"),
  run("orchestrator delete {n}-orchestrator"),
  run("experiment-tracker delete {n}-tracker"),
  run("artifact-store delete {n}-store2"),
  run("secret delete {n}-renamed --yes"),
];

export const commandsOf = (version: ZenmlVersion, name: string, all = commands): Command[] => {
  const named = (text: string): string => text.replace(/\{n\}/g, name);
  return all
    .filter((one) => one.versions?.includes(version) ?? true)
    .map((one) => ({
      ...one,
      args: one.args.map(named),
      ...(one.says === undefined ? {} : { says: new RegExp(named(one.says.source), one.says.flags) }),
    }));
};
