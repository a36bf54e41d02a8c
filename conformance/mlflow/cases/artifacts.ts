import { get, newExperiment, newModel, newRun, post, type Scenario, type Step } from "../scenario.ts";

const proxy = "/api/2.0/mlflow-artifacts/artifacts";
const runRoot = "{experiment}/{run}/artifacts";
const seen = ["content-type", "content-disposition", "x-content-type-options", "content-length"];

const put = (label: string, path: string, raw: string | Uint8Array): Step => ({
  label,
  method: "PUT",
  path: `${proxy}/${path}`,
  raw,
  headers: { "content-type": "application/octet-stream" },
});

const fetchFile = (label: string, path: string, compareHeaders = seen): Step => ({
  label,
  method: "GET",
  path: `${proxy}/${path}`,
  compareHeaders,
});

const drop = (label: string, path: string): Step => ({ label, method: "DELETE", path: `${proxy}/${path}` });
const list = (label: string, path: string): Step => get(label, proxy, { path });

const names: readonly string[] = [
  "a b.txt",
  "ünïcode 文件.txt",
  "hash#tag.txt",
  "100%.txt",
  "percent%20literal.txt",
  "plus+sign.txt",
  "question?mark.txt",
  "amp&ersand=x.txt",
  ".hidden",
  "...",
  "a..b",
  "trailing.",
  "comma,semi;colon:at@.txt",
  "quote'double\".txt",
  "(brackets)[square]{curly}.txt",
  "tilde~star*.txt",
  "deep/er/and/deep/er/still/file.bin",
];

/** Ways to say `..` or the root that some server has once believed. */
const climbs: readonly string[] = [
  "../secret",
  "a/../../secret",
  "..",
  "%2e%2e/secret",
  "%2e%2e%2fsecret",
  "..%2fsecret",
  "%252e%252e/secret",
  "%252e%252e%252fsecret",
  "%25252e%25252e%25252fsecret",
  "..%5csecret",
  "..\\secret",
  "%2e%2e%5csecret",
  "/etc/passwd",
  "%2fetc%2fpasswd",
  "%252fetc%252fpasswd",
  "//proc/self/root/etc/passwd",
  "a%00b",
  "a/%00/../../secret",
  "..;/secret",
  "file:/etc/passwd",
  "file%3a%2f%2f%2fetc%2fpasswd",
  "a%23b/../../secret",
  "C:%5cwindows",
  "%c0%ae%c0%ae/secret",
];

export const artifacts: readonly Scenario[] = [
  {
    name: "artifacts: put, get, list, delete",
    steps: [
      newExperiment(),
      newRun(),
      put("a text", `${runRoot}/hello.txt`, "hello"),
      put("a text again", `${runRoot}/hello.txt`, "hello again"),
      put("nothing", `${runRoot}/empty.bin`, ""),
      put("a page", `${runRoot}/page.html`, "<script>alert(1)</script>"),
      put("a picture", `${runRoot}/picture.svg`, "<svg/>"),
      put("a table", `${runRoot}/table.csv`, "a,b\n1,2\n"),
      put("json", `${runRoot}/data.json`, '{"a": 1}'),
      put("a model description", `${runRoot}/model/MLmodel`, "flavors: {}\n"),
      put("a yaml", `${runRoot}/model/conda.yaml`, "a: 1\n"),
      put("no extension", `${runRoot}/model/weights`, "\u0001\u0002"),
      put("deep", `${runRoot}/model/data/deep/file.bin`, "x"),
      put("a folder", `${runRoot}/folder/`, "x"),
      fetchFile("get the text", `${runRoot}/hello.txt`),
      fetchFile("get nothing", `${runRoot}/empty.bin`),
      fetchFile("get the page", `${runRoot}/page.html`),
      fetchFile("get the picture", `${runRoot}/picture.svg`),
      fetchFile("get the table", `${runRoot}/table.csv`),
      fetchFile("get the json", `${runRoot}/data.json`),
      fetchFile("get the model description", `${runRoot}/model/MLmodel`),
      fetchFile("get the yaml", `${runRoot}/model/conda.yaml`),
      fetchFile("get no extension", `${runRoot}/model/weights`),
      fetchFile("get an absent one", `${runRoot}/absent.txt`),
      fetchFile("get a folder", `${runRoot}/model`),
      {
        label: "get from ajax-api",
        method: "GET",
        path: `/ajax-api/2.0/mlflow-artifacts/artifacts/${runRoot}/hello.txt`,
      },
      {
        ...fetchFile("get a range", `${runRoot}/hello.txt`, ["content-range"]),
        headers: { range: "bytes=2-4" },
      },
      {
        ...fetchFile("get the end", `${runRoot}/hello.txt`, ["content-range"]),
        headers: { range: "bytes=-3" },
      },
      { ...fetchFile("get beyond the end", `${runRoot}/hello.txt`, []), headers: { range: "bytes=100-200" } },
      list("list the root", runRoot),
      list("list a folder", `${runRoot}/model`),
      list("list a folder with a slash", `${runRoot}/model/`),
      list("list a file", `${runRoot}/hello.txt`),
      list("list nothing", `${runRoot}/absent`),
      get("list under ajax-api", "/ajax-api/2.0/mlflow-artifacts/artifacts", { path: `${runRoot}/model` }),
      get("list by run", "artifacts/list", { run_id: "{run}" }),
      get("list by run a folder", "artifacts/list", { run_id: "{run}", path: "model" }),
      get("list by run a file", "artifacts/list", { run_id: "{run}", path: "hello.txt" }),
      get("list by run nothing", "artifacts/list", { run_id: "{run}", path: "absent" }),
      get("list by run_uuid", "artifacts/list", { run_uuid: "{run}", path: "model/data" }),
      get("list by an unknown run", "artifacts/list", { run_id: "0".repeat(32) }),
      get("list by no run", "artifacts/list"),
      get("get-artifact", "/get-artifact", { run_id: "{run}", path: "hello.txt" }),
      get("get-artifact by run_uuid", "/get-artifact", { run_uuid: "{run}", path: "hello.txt" }),
      get("get-artifact of nothing", "/get-artifact", { run_id: "{run}", path: "absent" }),
      get("get-artifact of an unknown run", "/get-artifact", { run_id: "0".repeat(32), path: "hello.txt" }),
      get("get-artifact without a path", "/get-artifact", { run_id: "{run}" }),
      drop("delete a file", `${runRoot}/hello.txt`),
      drop("delete it again", `${runRoot}/hello.txt`),
      drop("delete a folder", `${runRoot}/model`),
      fetchFile("get the deleted one", `${runRoot}/hello.txt`),
      get("list by run what is left", "artifacts/list", { run_id: "{run}" }),
    ],
  },
  {
    name: "artifacts: a file and a folder of one name",
    steps: [
      newExperiment(),
      newRun(),
      put("given a file", `${runRoot}/one`, "x"),
      put("given a folder", `${runRoot}/two/file`, "x"),
      put("below a file", `${runRoot}/one/file`, "x"),
      put("over a folder", `${runRoot}/two`, "x"),
    ],
  },
  {
    name: "artifacts: names",
    steps: [
      newExperiment(),
      newRun(),
      ...names.flatMap((name) => {
        const path = name.split("/").map(encodeURIComponent).join("/");
        return [
          put(`put ${JSON.stringify(name)}`, `${runRoot}/${path}`, name),
          fetchFile(`get ${JSON.stringify(name)}`, `${runRoot}/${path}`, []),
        ];
      }),
      get("list by run", "artifacts/list", { run_id: "{run}" }),
      list("list", runRoot),
      get("list by run, deep", "artifacts/list", { run_id: "{run}", path: "deep/er/and" }),
    ],
  },
  {
    name: "artifacts: paths that climb",
    steps: [
      newExperiment(),
      newRun(),
      newModel(),
      put("given a file", `${runRoot}/a.txt`, "a"),
      ...climbs.flatMap((path) => [
        put(`put ${path}`, `${runRoot}/${path}`, "x"),
        fetchFile(`get ${path}`, `${runRoot}/${path}`, []),
        drop(`delete ${path}`, `${runRoot}/${path}`),
        { ...get(`list ${path}`, `${proxy}?path=${path}`) },
        { ...get(`list by run ${path}`, `/api/2.0/mlflow/artifacts/list?run_id={run}&path=${path}`) },
        { ...get(`get-artifact ${path}`, `/get-artifact?run_id={run}&path=${path}`) },
      ]),
      put("put at the root, climbing", "..%2f..%2fsecret", "x"),
      fetchFile("get at the root, climbing", "..%2f..%2f..%2fetc%2fpasswd", []),
      fetchFile("get by an absolute path", "%2fetc%2fpasswd", []),
    ],
  },
  {
    name: "artifacts: multipart and presigned",
    steps: [
      newExperiment(),
      newRun(),
      newModel(),
      put("given a file", `${runRoot}/a.txt`, "a"),
      post("create", `/api/2.0/mlflow-artifacts/mpu/create/${runRoot}`, { path: "big.bin", num_parts: 2 }),
      post("create without a path", `/api/2.0/mlflow-artifacts/mpu/create/${runRoot}`, { num_parts: 2 }),
      post("complete", `/api/2.0/mlflow-artifacts/mpu/complete/${runRoot}`, {
        path: "big.bin",
        upload_id: "nobody",
        parts: [{ part_number: 1, etag: "x" }],
      }),
      post("abort", `/api/2.0/mlflow-artifacts/mpu/abort/${runRoot}`, {
        path: "big.bin",
        upload_id: "nobody",
      }),
      get("presigned", `/api/2.0/mlflow-artifacts/presigned/${runRoot}/a.txt`),
      post("presigned upload", "artifacts/presigned-upload-url", { run_id: "{run}", path: "b.txt" }),
      post("presigned upload without a path", "artifacts/presigned-upload-url", { run_id: "{run}" }),
      post("presigned upload without a run", "artifacts/presigned-upload-url", { path: "b.txt" }),
      post("presigned upload for a model", "artifacts/presigned-upload-url", {
        model_id: "{model}",
        path: "b.txt",
      }),
      post("presigned upload for run and model", "artifacts/presigned-upload-url", {
        run_id: "{run}",
        model_id: "{model}",
        path: "b.txt",
      }),
      post("presigned upload that climbs", "artifacts/presigned-upload-url", {
        run_id: "{run}",
        path: "../b.txt",
      }),
      post("presigned download", "artifacts/presigned-download-url", { run_id: "{run}", path: "a.txt" }),
      post("presigned download without a path", "artifacts/presigned-download-url", { run_id: "{run}" }),
      post("presigned download for ever", "artifacts/presigned-download-url", {
        run_id: "{run}",
        path: "a.txt",
        expiration: 604_801,
      }),
      post("presigned download of an unknown run", "artifacts/presigned-download-url", {
        run_id: "0".repeat(32),
        path: "a.txt",
      }),
    ],
  },
];
