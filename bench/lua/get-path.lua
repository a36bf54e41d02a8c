function build()
  return wrk.format("GET", options.path, { ["Accept"] = "*/*" })
end
