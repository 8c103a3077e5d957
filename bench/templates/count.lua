-- wrk -s count.lua URL [-- STATUSES LENGTH]: says what was counted as one line of JSON.
--
-- wrk counts answers of 400 and more as errors at no cost. STATUSES ("503", "200,503") and
-- LENGTH (bytes of the body; 0: any) judge each answer instead, which costs the load a table
-- for every one: `response` is defined only when they are given.

local threads = {}

function setup(thread)
   threads[#threads + 1] = thread
end

function init(args)
   judging = args[1] ~= nil
   unexpected = 0
   if not judging then return end
   local length = tonumber(args[2] or "0")
   local allowed = {}
   for status in args[1]:gmatch("%d+") do allowed[tonumber(status)] = true end
   function response(status, headers, body)
      if not allowed[status] or (length > 0 and #body ~= length) then
         unexpected = unexpected + 1
      end
   end
end

function done(summary, latency, requests)
   local unexpected = summary.errors.status
   if threads[1]:get("judging") then
      unexpected = 0
      for _, thread in ipairs(threads) do unexpected = unexpected + thread:get("unexpected") end
   end
   print(string.format(
      '{"requests":%d,"seconds":%.6f,"connect":%d,"read":%d,"write":%d,"timeout":%d,"unexpected":%d}',
      summary.requests, summary.duration / 1e6, summary.errors.connect, summary.errors.read,
      summary.errors.write, summary.errors.timeout, unexpected))
end
