-- The addresses of a file one after the other, and at the end what came of it as one line of JSON.
-- wrk … --script wrk.lua URL -- FILE [HEADER VALUE …]

local requests, at = {}, 0

function init(arguments)
   local headers = { ["Connection"] = "keep-alive" }
   for place = 2, #arguments, 2 do
      headers[arguments[place]] = arguments[place + 1]
   end
   for address in io.lines(arguments[1]) do
      requests[#requests + 1] = wrk.format("GET", address, headers)
   end
end

function request()
   at = at % #requests + 1
   return requests[at]
end

function done(summary, latency, _)
   local errors = summary.errors
   io.write(string.format(
      '\n{"requests": %d, "seconds": %.6f, "bytes": %d, "p50": %.3f, "p99": %.3f, "errors": %d}\n',
      summary.requests, summary.duration / 1e6, summary.bytes,
      latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
      errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
