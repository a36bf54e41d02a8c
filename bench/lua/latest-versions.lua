function build(sequence)
  return post("/api/2.0/mlflow/registered-models/get-latest-versions", string.format('{"name":"%s"}', (place(sequence))))
end
