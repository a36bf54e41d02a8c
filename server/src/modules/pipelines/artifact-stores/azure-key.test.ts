import { describe, expect, it } from "vitest";
import { signatureOf, stringToSign, type AzureRequest } from "./azure-key.ts";

const get = (url: string, headers: Record<string, string> = {}): AzureRequest => ({
  method: "GET",
  url,
  headers,
});
const resourceOf = (account: string, url: string): string[] =>
  stringToSign(account, get(url)).split("\n").slice(12);

describe("what a Shared Key signs", () => {
  it("is what Microsoft's documentation shows for the metadata of a container", () => {
    const request = get(
      "https://myaccount.blob.core.windows.net/mycontainer?restype=container&comp=metadata&timeout=20",
      { "x-ms-version": "2015-02-21", "x-ms-date": "Fri, 26 Jun 2015 23:39:12 GMT" },
    );
    expect(stringToSign("myaccount", request)).toBe(
      "GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\nx-ms-version:2015-02-21\n" +
        "/myaccount/mycontainer\ncomp:metadata\nrestype:container\ntimeout:20",
    );
  });

  it("names the resource as Microsoft's documentation shows it", () => {
    const list = "https://myaccount.blob.core.windows.net/mycontainer?restype=container&comp=list";
    expect(
      resourceOf("myaccount", `${list}&include=snapshots&include=metadata&include=uncommittedblobs`),
    ).toEqual([
      "/myaccount/mycontainer",
      "comp:list",
      "include:metadata,snapshots,uncommittedblobs",
      "restype:container",
    ]);
    expect(
      resourceOf("myaccount", "https://myaccount-secondary.blob.core.windows.net/mycontainer/myblob"),
    ).toEqual(["/myaccount/mycontainer/myblob"]);
    // The emulator has the account in the path, where it is said twice.
    expect(resourceOf("devstoreaccount1", "http://127.0.0.1:10000/devstoreaccount1/c/a%20b")).toEqual([
      "/devstoreaccount1/devstoreaccount1/c/a%20b",
    ]);
  });

  it("holds what is asked for in plain text, headers in order", () => {
    const request = get("https://a.blob.core.windows.net/c?prefix=a%2Fb%20%C3%BC&Comp=list", {
      "x-ms-range": "bytes=0-9",
      "x-ms-date": " now ",
      range: "bytes=1-2",
      accept: "unsigned",
    });
    expect(stringToSign("a", request).split("\n").slice(11)).toEqual([
      "bytes=1-2",
      "x-ms-date:now",
      "x-ms-range:bytes=0-9",
      "/a/c",
      "comp:list",
      "prefix:a/b ü",
    ]);
  });

  it("is signed as Microsoft's own library signs it", () => {
    const key = Buffer.from("a key of the test's own, 32 long").toString("base64");
    const url = "https://acc.blob.core.windows.net/box/a%20b?restype=container&comp=list&prefix=x%2Fy";
    const headers = { "x-ms-date": "Sun, 22 Nov 2026 01:02:03 GMT", "x-ms-version": "2021-08-06" };
    expect(signatureOf({ account: "acc", key }, get(url, headers))).toBe(
      "SharedKey acc:jof6OiOXrtlNqAPavATaHkuviFBRwlVWsS71CiAovgE=",
    );
  });
});
