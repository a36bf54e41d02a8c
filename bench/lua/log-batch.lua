-- `points` points of `keys` metrics in one request, with rising steps. Only steps and times are written
-- anew for each request: 1,000 fresh numbers would make the load generator the slowest part.
local points = tonumber(options.points)
local keys = tonumber(options.keys)
local steps = points / keys
local pieces = {}
for i = 0, points - 1 do
  pieces[i * 4 + 2] = string.format('%s{"key":"metric_%d","value":%.16g,"timestamp":', i > 0 and "," or "", i % keys, math.random())
  pieces[i * 4 + 4] = ',"step":'
end
local size = points * 4 + 2

function build(sequence)
  local run, earlier = place(sequence)
  local first = earlier * steps
  pieces[1] = '{"run_id":"' .. run .. '","metrics":['
  for i = 0, points - 1 do
    local step = first + math.floor(i / keys)
    pieces[i * 4 + 3] = now + step
    pieces[i * 4 + 5] = step .. "}"
  end
  pieces[size] = '],"params":[],"tags":[]}'
  return post("/api/2.0/mlflow/runs/log-batch", table.concat(pieces))
end
