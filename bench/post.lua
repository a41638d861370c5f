-- SPDX-License-Identifier: MIT
-- wrk -s post.lua URL -- [BODYFILE]: posts the file's bytes, or gets where there is none, over and over,
-- and prints one line of figures.
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
