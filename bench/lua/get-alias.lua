function build(sequence)
  local path = "/api/2.0/mlflow/registered-models/alias?alias=champion&name=" .. place(sequence)
  return wrk.format("GET", path, { ["Accept"] = "*/*" })
end
