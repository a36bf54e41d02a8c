-- Parameters cannot change, so every request logs one its run does not have yet.
function build(sequence)
  local run, earlier = place(sequence)
  return post("/api/2.0/mlflow/runs/log-parameter", string.format(
    '{"run_uuid":"%s","run_id":"%s","key":"layer_%d.units","value":"%d"}', run, run, earlier, sequence % 1024))
end
