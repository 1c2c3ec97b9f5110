"""`python -m webapp.cli`: the same commands as `flask --app wsgi`."""

from flask.cli import FlaskGroup

from webapp.app import start
from webapp.cli.settings import settings_group

if __name__ == "__main__":
    commands = FlaskGroup(
        create_app=start,
        add_default_commands=False,
        set_debug_flag=False,
        load_dotenv=False,
        help="Portico's commands, for operators. Settings are those of the application.",
    )
    # These work without an application, since they are what one takes to get there.
    commands.add_command(settings_group)
    commands.main(prog_name="python -m webapp.cli")
