-- Common part of all loads. Arguments after `--`: name=value. `work` names the file that defines
-- build(sequence), which returns one request; `sequence` is never given twice within one bench.

local threads = {}

function setup(thread)
  thread:set("thread_index", #threads)
  threads[#threads + 1] = thread
end

function init(args)
  options = {}
  for _, argument in ipairs(args) do
    local name, value = argument:match("^([%w_]+)=(.*)$")
    if name then options[name] = value end
  end
  runs = {}
  if options.runs then
    for line in io.lines(options.runs) do runs[#runs + 1] = line end
  end
  if options.credentials then authenticate(options.credentials) end
  now = tonumber(options.now or 0)
  stride = tonumber(options.threads)
  sequence = tonumber(options.first or 0) + thread_index
  issued = 0
  -- wrk asks the first thread for one request that it never sends, to see what requests look like.
  is_trial = thread_index == 0
  math.randomseed(12345 + sequence)
  dofile(options.work)
end

-- Every thread sends one of the file's lines as its Authorization, or in the header that `header` names: with as many
-- threads as connections each connection is of one caller, as clients' are. With `mixed` each request has the next.
function authenticate(file)
  local credentials = {}
  for line in io.lines(file) do credentials[#credentials + 1] = line end
  local format = wrk.format
  wrk.format = function(method, path, headers, body)
    headers = headers or {}
    headers[options.header or "Authorization"] = credentials[(options.mixed and sequence or thread_index) % #credentials + 1]
    return format(method, path, headers, body)
  end
end

function post(path, body)
  return wrk.format("POST", path, { ["Content-Type"] = "application/json" }, body)
end

-- Spreads requests over the runs: which run this one is for, and how many that run had before.
function place(sequence)
  return runs[sequence % #runs + 1], math.floor(sequence / #runs)
end

function request()
  local made = build(sequence)
  if is_trial then
    is_trial = false
  else
    sequence = sequence + stride
    issued = issued + 1
  end
  return made
end

function done(summary, latency, requests)
  local sent = 0
  for _, thread in ipairs(threads) do sent = sent + thread:get("issued") end
  local errors = summary.errors
  print(string.format(
    'RESULT {"seconds":%.6f,"answered":%d,"issued":%d,"refused":%d,"socketErrors":%d,"timeouts":%d,"p50":%.3f,"p99":%.3f,"bytes":%d}',
    summary.duration / 1e6, summary.requests, sent, errors.status, errors.connect + errors.read + errors.write,
    errors.timeout, latency:percentile(50) / 1000, latency:percentile(99) / 1000, summary.bytes))
end
