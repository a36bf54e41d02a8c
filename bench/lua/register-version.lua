-- A training that ends: its model becomes the next version. The names are where other loads have runs.
function build(sequence)
  local name = place(sequence)
  local run = string.format("%032x", sequence)
  return post("/api/2.0/mlflow/model-versions/create", string.format(
    '{"name":"%s","source":"runs:/%s/model","run_id":"%s","tags":[{"key":"stage","value":"candidate"}]}',
    name, run, run))
end
