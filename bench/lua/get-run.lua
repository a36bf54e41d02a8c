function build(sequence)
  local run = place(sequence)
  return wrk.format("GET", "/api/2.0/mlflow/runs/get?run_id=" .. run, { ["Accept"] = "*/*" })
end
