// Drives official Java clients: the lines of tests/node/client.mjs. Run as a source file, with the libraries on -cp.
import io.socket.client.Ack;
import io.socket.client.IO;
import io.socket.client.Manager;
import io.socket.client.Socket;
import io.socket.emitter.Emitter;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.json.JSONArray;
import org.json.JSONObject;

public class JavaClient {
    static final String[] EVENTS = {"connected", "new_message", "pong", "error", "closing", "chat_updated", "chat_added"};
    static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    static final Map<Integer, Socket> SOCKETS = new HashMap<>();

    static synchronized void report(Object client, String what, Object... more) {
        try {
            JSONObject line = new JSONObject().put("client", client == null ? JSONObject.NULL : client).put("what", what);
            for (int at = 0; at < more.length; at += 2) {
                line.put((String) more[at], more[at + 1]);
            }
            OUT.println(line);
        } catch (Exception error) {
            throw new IllegalStateException(error);
        }
    }

    static JSONArray array(Object[] values) {
        JSONArray array = new JSONArray();
        for (Object value : values) {
            array.put(value);
        }
        return array;
    }

    // {"$bytes": base64} becomes bytes, wherever it stands.
    static Object revived(Object value) throws Exception {
        if (value instanceof JSONArray) {
            JSONArray made = new JSONArray();
            for (int at = 0; at < ((JSONArray) value).length(); at++) {
                made.put(revived(((JSONArray) value).get(at)));
            }
            return made;
        }
        if (!(value instanceof JSONObject)) {
            return value;
        }
        JSONObject object = (JSONObject) value;
        if (object.has("$bytes")) {
            return Base64.getDecoder().decode(object.getString("$bytes"));
        }
        JSONObject made = new JSONObject();
        for (Iterator<?> keys = object.keys(); keys.hasNext(); ) {
            String key = (String) keys.next();
            made.put(key, revived(object.get(key)));
        }
        return made;
    }

    static void connect(int client, JSONObject order) throws Exception {
        JSONObject given = order.getJSONObject("options");
        IO.Options options = new IO.Options();
        options.forceNew = true;
        options.reconnectionDelay = 50;
        options.reconnectionDelayMax = 200;
        JSONArray transports = given.getJSONArray("transports");
        options.transports = new String[transports.length()];
        for (int at = 0; at < transports.length(); at++) {
            options.transports[at] = transports.getString(at);
        }
        options.auth = Map.of("token", given.getJSONObject("auth").getString("token"));
        Socket socket = IO.socket(URI.create(order.getString("url")), options);
        SOCKETS.put(client, socket);
        for (String name : EVENTS) {
            socket.on(name, args -> report(client, "event", "name", name, "args", array(args)));
        }
        socket.on(Socket.EVENT_CONNECT, args -> report(client, "connect"));
        socket.on(Socket.EVENT_DISCONNECT, args -> report(client, "disconnect", "reason", String.valueOf(args[0])));
        socket.connect();
    }

    static void ask(int client, JSONObject call) throws Exception {
        int number = call.getInt("call");
        List<Object> args = new ArrayList<>();
        JSONArray given = call.getJSONArray("args");
        for (int at = 0; at < given.length(); at++) {
            args.add(revived(given.get(at)));
        }
        SOCKETS.get(client).emit(
            call.getString("name"),
            args.toArray(),
            (Ack) answer -> report(client, "ack", "call", number, "answer", array(answer)));
    }

    public static void main(String[] unused) throws Exception {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            JSONObject order = new JSONObject(line);
            int client = order.optInt("client");
            switch (order.getString("do")) {
                case "connect" -> connect(client, order);
                case "ask" -> ask(client, order);
                case "burst" -> {
                    JSONArray calls = order.getJSONArray("calls");
                    for (int at = 0; at < calls.length(); at++) {
                        ask(client, calls.getJSONObject(at));
                    }
                }
                case "reset" -> {
                    for (Socket socket : SOCKETS.values()) {
                        socket.off();
                        socket.disconnect();
                    }
                    SOCKETS.clear();
                    Thread.sleep(300); // its last packets are sent in a thread of the library
                    report(null, "reset");
                }
                default -> throw new IllegalArgumentException(line);
            }
        }
        System.exit(0);
    }
}
