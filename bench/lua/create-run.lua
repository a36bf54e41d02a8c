function build(sequence)
  return post("/api/2.0/mlflow/runs/create", string.format(
    '{"experiment_id":"%s","user_id":"bench","run_name":"run-%d","start_time":%d,"tags":[' ..
    '{"key":"mlflow.user","value":"bench"},{"key":"mlflow.source.name","value":"train.py"},' ..
    '{"key":"mlflow.source.type","value":"LOCAL"},{"key":"mlflow.runName","value":"run-%d"}]}',
    options.experiment, sequence, now + sequence, sequence))
end
