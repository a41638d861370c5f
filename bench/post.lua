-- SPDX-License-Identifier: MIT
-- wrk -s post.lua URL -- [BODYFILE [JSONBYTES]]: posts the file's bytes, or gets where there is
-- none, over and over, and prints one line of figures. JSONBYTES makes it a binary request of the
-- Open Inference Protocol: so many bytes of JSON, then tensors.
local request_text

function init(args)
  if #args == 0 then
    request_text = wrk.format()
    return
  end
  local file = assert(io.open(args[1], "rb"))
  wrk.method = "POST"
  wrk.body = file:read("*a")
  file:close()
  wrk.headers["Content-Type"] = "application/json"
  if args[2] then
    wrk.headers["Content-Type"] = "application/octet-stream"
    wrk.headers["Inference-Header-Content-Length"] = args[2]
  end
  request_text = wrk.format()
end

function request()
  return request_text
end

-- "FIGURES requests_per_second p50_us p99_us errors", which bench/load.py reads.
function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format("FIGURES %.1f %.1f %.1f %d\n", summary.requests / (summary.duration / 1e6),
    latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.timeout + errors.status))
end
