local file = assert(io.open(options.body))
local body = file:read("*a")
file:close()

function build()
  return post("/api/2.0/mlflow/runs/search", body)
end
