"""`python -m webapp.cli`: the same commands as `flask --app wsgi`."""

from flask.cli import FlaskGroup

from webapp.app import start

if __name__ == "__main__":
    FlaskGroup(
        create_app=start,
        add_default_commands=False,
        set_debug_flag=False,
        load_dotenv=False,
        help="Portico's commands, for operators. Settings are those of the application.",
    ).main(prog_name="python -m webapp.cli")
