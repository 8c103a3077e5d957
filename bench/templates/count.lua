-- wrk -s count.lua URL -- STATUSES LENGTH BODY HOSTS: says what was counted as one line of JSON.
--
-- wrk counts answers of 400 and more as errors at no cost. STATUSES ("503", "200,503") and
-- LENGTH (bytes of the body; 0: any) judge each answer instead, which costs the load a table
-- for every one: `response` is defined only when they are given. BODY is a file to send with each
-- request, HOSTS ("a.example,b.example") are named in turn; either may be empty.

local threads = {}

function setup(thread)
   threads[#threads + 1] = thread
end

function init(args)
   if args[3] ~= "" then
      local file = assert(io.open(args[3], "rb"))
      wrk.method, wrk.body = "POST", file:read("*a")
      file:close()
   end
   if args[4] ~= "" then name_in_turn(args[4]) end
   judging = args[1] ~= ""
   unexpected = 0
   if not judging then return end
   local length = tonumber(args[2])
   local allowed = {}
   for status in args[1]:gmatch("%d+") do allowed[tonumber(status)] = true end
   function response(status, headers, body)
      if not allowed[status] or (length > 0 and #body ~= length) then
         unexpected = unexpected + 1
      end
   end
end

function name_in_turn(hosts)
   local requests, last = {}, 0
   for host in hosts:gmatch("[^,]+") do
      wrk.headers["Host"] = host
      requests[#requests + 1] = wrk.format()
   end
   function request()
      last = last % #requests + 1
      return requests[last]
   end
end

function done(summary, latency, requests)
   local unexpected = summary.errors.status
   if threads[1]:get("judging") then
      unexpected = 0
      for _, thread in ipairs(threads) do unexpected = unexpected + thread:get("unexpected") end
   end
   print(string.format(
      '{"requests":%d,"seconds":%.6f,"connect":%d,"read":%d,"write":%d,"timeout":%d,' ..
      '"unexpected":%d,"p50":%.1f,"p99":%.1f}',
      summary.requests, summary.duration / 1e6, summary.errors.connect, summary.errors.read,
      summary.errors.write, summary.errors.timeout, unexpected,
      latency:percentile(50), latency:percentile(99)))
end
