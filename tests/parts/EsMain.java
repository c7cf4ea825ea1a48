import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.KeyStoreWrapper;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.http.HttpServerTransport;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.PluginsLoader;

/**
 * EsMain HOME: one Elasticsearch node in this very process.
 *
 * The archive has no bin/elasticsearch, and the launcher it would call starts a second JVM and
 * insists on modules that a test does not need. HOME has lib, modules, plugins, config, data and
 * logs; the settings beyond the paths are in config/elasticsearch.yml. The port is the kernel's
 * choice: HOME/port is written, whole, once the node answers on it. With security, the password of
 * the user "elastic" is in config/bootstrap.password.
 */
public final class EsMain {
    public static void main(String[] arguments) throws Exception {
        Path home = Path.of(arguments[0]).toAbsolutePath();
        LogConfigurator.configureESLogging();
        Settings.Builder builder = Settings.builder();
        Path password = home.resolve("config").resolve("bootstrap.password");
        if (Files.exists(password)) {
            KeyStoreWrapper store = KeyStoreWrapper.create();
            store.setString("bootstrap.password", Files.readString(password).toCharArray());
            builder.setSecureSettings(store);
        }
        Settings paths = builder
            .put("path.home", home)
            .put("path.data", home.resolve("data").toString())
            .put("path.logs", home.resolve("logs").toString())
            .loadFromPath(home.resolve("config").resolve("elasticsearch.yml"))
            .build();
        Environment environment = new Environment(paths, home.resolve("config"));
        LogConfigurator.configure(environment, true);
        Node node = new Node(
            environment,
            PluginsLoader.createPluginsLoader(
                PluginsLoader.loadModulesBundles(environment.modulesDir(), false),
                PluginsLoader.loadPluginsBundles(environment.pluginsDir(), false),
                Map.of()));
        node.start();
        int port = node.injector().getInstance(HttpServerTransport.class).boundAddress().publishAddress().getPort();
        Path written = home.resolve("port.tmp");
        Files.writeString(written, Integer.toString(port));
        Files.move(written, home.resolve("port"), StandardCopyOption.ATOMIC_MOVE);
        new CountDownLatch(1).await();
    }
}
