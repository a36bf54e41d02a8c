-- A training loop that logs four metrics a step.
local keys = { "train_loss", "train_accuracy", "val_loss", "val_accuracy" }

function build(sequence)
  local run, earlier = place(sequence)
  local step = math.floor(earlier / #keys)
  return post("/api/2.0/mlflow/runs/log-metric", string.format(
    '{"run_uuid":"%s","run_id":"%s","key":"%s","value":%.16g,"timestamp":%d,"step":%d}',
    run, run, keys[earlier % #keys + 1], math.random(), now + step, step))
end
